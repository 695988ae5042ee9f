// SPDX-FileCopyrightText: 2026 The siena authors
// SPDX-License-Identifier: Apache-2.0
// expect: siena: ReceptiveField.. and Dilation.. are axes of layers with a kernel, Conv1d and Conv2d; a Linear has none
#include "siena/nn/network.hpp"
#include "siena/space/searchable.hpp"

siena::Network build() {
#ifdef CONTROL
  return siena::Network(siena::Shape{8, 2}, [](siena::Flow x) {
    return x | siena::Searchable{siena::Conv1d{.out = 4, .kernel = 3}, siena::ReceptiveField{}, siena::Dilation{}};
  });
#else
  return siena::Network(siena::Shape{8}, [](siena::Flow x) {
    return x | siena::Searchable{siena::Linear{.out = 4}, siena::Channels{}, siena::ReceptiveField{}};
  });
#endif
}
