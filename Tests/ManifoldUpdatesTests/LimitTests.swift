import ManifoldUpdates
import RecurrentCore
import ReferenceBackend
import Testing

/// Options that depend on the size of the weight are checked before memory is allocated.
struct LimitTests {
    @Test(arguments: WeightField.allCases) func reflectionsAreLimited(field: WeightField) throws {
        _ = try HouseholderUpdate(reflections: 8).makeWorkspace(field, size: 3, on: ReferenceBackend())
        let error = #expect(throws: RecurrentError.self) {
            try HouseholderUpdate(reflections: 1_000_000).makeWorkspace(field, size: 3, on: ReferenceBackend())
        }
        #expect(error?.description == "`reflections` must be at most 8 for 3 units, not 1000000")
    }

    @Test(arguments: [WeightField.real, .complex]) func signsAreLimited(field: WeightField) throws {
        _ = try ScaledCayleyUpdate(negativeOnes: 3).makeWorkspace(field, size: 3, on: ReferenceBackend())
        let error = #expect(throws: RecurrentError.self) {
            try ScaledCayleyUpdate(negativeOnes: 4).makeWorkspace(field, size: 3, on: ReferenceBackend())
        }
        #expect(error?.description == "`negativeOnes` must be at most 3, the number of units, not 4")
    }
}
