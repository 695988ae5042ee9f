// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: an axis overrides name, whole, smallest, varies, state, select, for_each_move, both forms of vary, and narrow
#include "siena/space/axis.hpp"

struct Mine : siena::AxisHooks {
  static constexpr int order = 9;
  Mine(siena::Network&, const siena::SpaceOptions&) {}
  std::string_view name() const override { return "mine"; }
  siena::AxisState whole() const override { return {}; }
  siena::AxisState smallest() const override { return {}; }
  bool varies() const override { return false; }
  siena::AxisState state(const siena::Network&) const override { return {}; }
  void select(siena::Network&, const siena::AxisState&) const override {}
  void for_each_move(const siena::Network&, const siena::Selection&, siena::AxisState&, siena::Direction,
                     const siena::TakeMove&) const override {}
  void vary(const siena::Network&, const siena::AxisState&, siena::Variation<double>&) const override {}
  void vary(siena::Tape&, siena::Network&, siena::Variation<siena::Scalar>&) const override {}
#ifdef CONTROL
  void narrow(const siena::Network&, const siena::AxisState&, siena::Narrowing&) const override {}
#endif
};

siena::AnyAxis make(siena::Network& network) { return siena::install_axis<Mine>(network, {}); }
