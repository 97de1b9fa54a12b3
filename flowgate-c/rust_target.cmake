# The Rust target of a core, from what Zephyr or a toolchain says of it. Included by both build systems.
function(flowgate_rust_target result)
  cmake_parse_arguments(core "HARD_FLOAT" "NAME" "" ${ARGN})
  if(core_HARD_FLOAT)
    set(abi "eabihf")
  else()
    set(abi "eabi")
  endif()
  if(core_NAME MATCHES "^cortex-m0(\\+|plus)?$|^cortex-m1$")
    set(target "thumbv6m-none-eabi")
  elseif(core_NAME STREQUAL "cortex-m3")
    set(target "thumbv7m-none-eabi")
  elseif(core_NAME MATCHES "^cortex-m(4|7)$")
    set(target "thumbv7em-none-${abi}")
  elseif(core_NAME STREQUAL "cortex-m23")
    set(target "thumbv8m.base-none-eabi")
  elseif(core_NAME MATCHES "^cortex-m(33|35p|55|85)$")
    set(target "thumbv8m.main-none-${abi}")
  elseif(core_NAME STREQUAL "rv32imc")
    set(target "riscv32imc-unknown-none-elf")
  elseif(core_NAME STREQUAL "rv32imac")
    set(target "riscv32imac-unknown-none-elf")
  else()
    message(FATAL_ERROR "flowgate: no Rust target is known for the core '${core_NAME}'")
  endif()
  set(${result} "${target}" PARENT_SCOPE)
endfunction()

# Builds libflowgate.a for a Rust target into the build folder and makes it the target `flowgate`.
function(flowgate_add_library rust_target)
  set(folder "${CMAKE_CURRENT_FUNCTION_LIST_DIR}")
  set(build "${CMAKE_CURRENT_BINARY_DIR}/flowgate-rust")
  set(archive "${build}/${rust_target}/release/libflowgate.a")
  include(ExternalProject)
  ExternalProject_Add(flowgate_rust
    SOURCE_DIR "${folder}"
    CONFIGURE_COMMAND ""
    INSTALL_COMMAND ""
    BUILD_ALWAYS TRUE
    BUILD_COMMAND cargo build --release --manifest-path "${folder}/Cargo.toml"
      --target ${rust_target} --target-dir "${build}" --features panic-handler
    BUILD_BYPRODUCTS "${archive}")
  add_library(flowgate STATIC IMPORTED GLOBAL)
  set_target_properties(flowgate PROPERTIES IMPORTED_LOCATION "${archive}")
  target_include_directories(flowgate INTERFACE "${folder}/include")
  add_dependencies(flowgate flowgate_rust)
endfunction()
