/// The version of this package, which its commands print and the files that other programs read hold.
package enum PackageVersion {
    /// The name of the package.
    package static let name = "urnn"
    /// The version, as in its tags.
    package static let text = "0.2.0"
}
