# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# What Doxygen reads in place of a file, of headers line by line the same:
#   - all of a header is in the group of its room (docs/rooms.dox), and what other namespaces get from it is hidden;
#   - what is said behind several members is said of each;
#   - headings of pages have the names by which links know them, page.md#heading, which Doxygen 1.9 does not give them.
function slug(text) {
  text = tolower(text)
  gsub(/[^a-z0-9 _-]/, "", text)
  gsub(/ /, "-", text)
  return text
}
function base(path) {
  sub(/^.*\//, "", path)
  sub(/\.md$/, "", path)
  return path
}
# Doxygen would look for a heading of any page: links say of which.
function links(line,   done, path, anchor, text) {
  done = ""
  while (match(line, /\[[^][]*`[^][]*\]\([^()]*\.md[^()]*\)/)) {  # nor would it read code in the text of a link to a page
    text = substr(line, RSTART, RLENGTH)
    gsub(/`/, "", text)
    gsub(/</, "\\<", text)
    line = substr(line, 1, RSTART - 1) text substr(line, RSTART + RLENGTH)
  }
  while (match(line, /\]\([^()# ]*#[^() ]*\)/)) {
    path = substr(line, RSTART + 2, RLENGTH - 3)
    anchor = path
    sub(/^[^#]*#/, "", anchor)
    sub(/#.*$/, "", path)
    done = done substr(line, 1, RSTART + 1)
    if (path ~ /:/) done = done path "#" anchor ")"
    else done = done "@ref p-" (path == "" ? base(FILENAME) : base(path)) "-" anchor ")"
    line = substr(line, RSTART + RLENGTH)
  }
  return done line
}
# A comment behind several members is of each of them; Doxygen would give it to the last.
function members(line,   text, type, rest, name, out) {
  text = line
  sub(/^.*;  *\/\/\/< /, "", text)
  sub(/;  *\/\/\/< .*$/, "", line)
  match(line, /^ *[A-Za-z0-9_:<>]+ /)
  type = substr(line, 1, RLENGTH)
  rest = substr(line, RLENGTH + 1) ", "
  while (match(rest, /, /)) {
    name = substr(rest, 1, RSTART - 1)
    out = out type name ";  /**< " text " */"
    rest = substr(rest, RSTART + 2)
  }
  return out
}
FILENAME ~ /\.hpp$/ {
  if (FNR == 1) {
    room = FILENAME
    sub(/^.*include\/siena\//, "", room)
    room = room ~ /\// ? substr(room, 1, index(room, "/") - 1) : ""
  }
  if (room != "" && /^}  \/\/ namespace siena/) {
    print "/** @} */ " $0 " /** @cond */"
    left = 1
  } else if (room != "" && /^namespace siena[a-z_:]* \{$/) {
    print (left ? "/** @endcond */ " : "") $0 " /** @addtogroup room_" room " */ /** @{ */"
    left = 0
  } else if (/^ +[A-Za-z0-9_:<>]+ [a-z_]+( = [^,;(){}]+| = \{\})?(, [a-z_]+( = [^,;(){}]+| = \{\})?)+; +\/\/\/< /) {
    print members($0)
  } else {
    print
  }
  next
}
/^```/ { fenced = !fenced }
fenced || /^```/ { print; next }
/^##+ / {
  heading = $0
  sub(/^#+ +/, "", heading)
  print $0 " {#p-" base(FILENAME) "-" slug(heading) "}"
  next
}
{
  line = $0
  while (line ~ /\[[^][]*$/ && (getline following) > 0) {  # nor would it read a text that goes on in the next line
    sub(/^ +/, "", following)
    line = line " " following
  }
  gsub(/\*\*`/, "<b>`", line)  # nor code that is bold
  gsub(/`\*\*/, "`</b>", line)
  print links(line)
}
END { if (left) print "/** @endcond */" }
