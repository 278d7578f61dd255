import RecurrentCore

extension RecurrentError {
    static let skewNotFiniteMessage = "the skew parameter is no longer finite; try a lower learning rate"
    static var skewNotFinite: RecurrentError { .linearAlgebra(skewNotFiniteMessage) }
}
