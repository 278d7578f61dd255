import CPUBackend
import CUDABackend
import CoRNNCell
import ComplexURNNCell
import DigitsDataset
import GRUCell
import LEMCell
import LRUCell
import LSTMCell
import MPICommunicator
import ManifoldUpdates
import MinGRUCell
import NNRNNCell
import PTBDataset
import RecurrentCore
import RecurrentOptimizers
import RecurrentRuns
import ReferenceBackend
import ToyDatasets
import UGRUCell
import URNNCell
import VanillaRNNCell

extension Registry {
    /// The registry of all plug-ins in this package.
    public static var builtIn: Registry {
        var registry = Registry()
        registry.add(VanillaRNN.self)
        registry.add(URNN.self)
        registry.add(GRU.self)
        registry.add(UGRU.self)
        registry.add(ComplexURNN.self)
        registry.add(LSTM.self)
        registry.add(CoRNN.self)
        registry.add(LEM.self)
        registry.add(MinGRU.self)
        registry.add(LRU.self)
        registry.add(NNRNN.self)

        registry.add(Identity.self)
        registry.add(AbsoluteValue.self)
        registry.add(ReLU.self)
        registry.add(LeakyReLU.self)
        registry.add(Tanh.self)
        registry.add(Sigmoid.self)
        registry.add(Softsign.self)
        registry.add(GELU.self)
        registry.add(SiLU.self)
        registry.add(ModReLU.self)
        registry.add(PReLU.self)
        registry.add(Snake.self)

        registry.add(RecallDataset.self)
        registry.add(KthLargestDataset.self)
        registry.add(CopyingDataset.self)
        registry.add(AddingDataset.self)
        registry.add(DigitsDataset.self)
        registry.add(PermutedDigitsDataset.self)
        registry.add(PennTreebank.self)
        registry.add(PennTreebankCharacters.self)
        registry.add(PennTreebank.source)

        registry.add(CPUBackend.self)
        registry.add(CUDABackend.self)
        registry.add(ReferenceBackend.self)
        registry.add(MPICommunicator.self)

        registry.add(SGD.self)
        registry.add(RMSprop.self)
        registry.add(Adam.self)
        registry.add(AdamW.self)

        registry.add(ConstantSchedule.self)
        registry.add(StepSchedule.self)
        registry.add(PlateauSchedule.self)
        registry.add(CosineSchedule.self)

        registry.add(ExponentialUpdate.self)
        registry.add(ExactExponentialUpdate.self)
        registry.add(CayleyUpdate.self)
        registry.add(DynamicTrivializationUpdate.self)
        registry.add(RetractionUpdate.self)
        registry.add(HouseholderUpdate.self)
        registry.add(MarginUpdate.self)
        registry.add(ScaledCayleyUpdate.self)
        registry.add(ArjovskyUpdate.self)

        registry.add(ZeroSkew.self)
        registry.add(HenaffSkew.self)
        registry.add(CayleySkew.self)
        registry.add(UniformSkew.self)
        return registry
    }
}
