// swift-tools-version:6.0
// The core for the Apple shells, and on Linux for the contract. `cargo xtask bindings swift` generates the sources of
// LandfallCore and LandfallCoreFFI; FieldKit is written by hand.
import PackageDescription

let package = Package(
    name: "Landfall",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "FieldKit", targets: ["FieldKit"])],
    targets: [
        .systemLibrary(name: "LandfallCoreFFI"),
        // Generated for the older language mode: its globals are not annotated for strict concurrency.
        .target(
            name: "LandfallCore", dependencies: ["LandfallCoreFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.linkedLibrary("landfall_ffi")]),
        .target(name: "FieldKit", dependencies: ["LandfallCore"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .testTarget(
            name: "ContractTests", dependencies: ["FieldKit", "LandfallCore"],
            swiftSettings: [.swiftLanguageMode(.v5)]),
    ]
)
