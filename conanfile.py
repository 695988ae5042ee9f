# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""Conan 2: `conan create . --build=missing`; docs/guides/install.md."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import load

# What each component of the package needs; siena::onnx is left to CMake.
COMPONENTS = {
    "json": ["nlohmann_json/[>=3.11 <4]"],
    "features": ["eigen/[>=3.4 <4]"],
    "audio": ["eigen/[>=3.4 <4]", "libsndfile/[>=1.2 <2]"],
}


class Siena(ConanFile):
    name = "siena"
    license = "Apache-2.0"
    description = "Neural architecture search under several hardware constraints, header-only C++20"
    topics = ("neural-architecture-search", "microcontrollers", "autograd", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {component: [True, False] for component in COMPONENTS}
    default_options = {"json": True, "features": False, "audio": False}
    exports_sources = "CMakeLists.txt", "cmake/*", "include/*", "LICENSE"

    def set_version(self):
        text = load(self, os.path.join(self.recipe_folder, "include/siena/core/config.hpp"))
        self.version = ".".join(re.findall(r"#define SIENA_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", text))

    def requirements(self):
        self.requires("xsimd/[>=8.1]", transitive_headers=True)
        self.requires("fmt/[>=9.1]", transitive_headers=True, transitive_libs=True)
        wanted = {need for component, needs in COMPONENTS.items() if self.options.get_safe(component) for need in needs}
        for need in sorted(wanted):
            self.requires(need, transitive_headers=True, transitive_libs=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables["SIENA_BUILD_" + part] = False
        toolchain.cache_variables["SIENA_NATIVE"] = False
        toolchain.generate()
        CMakeDeps(self).generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()

    def package_id(self):
        self.info.settings.clear()  # headers; which components there are is an option

    def package_info(self):
        # Those who use it read the package's own files for CMake, which name the components.
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "siena")]
        self.cpp_info.set_property("cmake_find_mode", "none")
