# The two commands of the README are `make demo` and `make test`.

.PHONY: demo test build dependencies docs examples benchmark clean

# Installs OpenBLAS and LAPACKE on Debian and Ubuntu; elsewhere, install them by hand.
dependencies:
	@scripts/install-dependencies

build: dependencies
	swift build -c release --product cli

# A uRNN recalls the first of 100 numbers; a vanilla RNN stays at chance.
demo: build
	.build/release/cli compare --cells urnn,rnn --dataset recall --length 100 --epochs 140

# Tests the release build, since the numerical tests are many times slower without optimization.
test: dependencies
	swift build -c release --build-tests
	swift test -c release --skip-build

# Fails on a warning.
docs:
	scripts/build-docs

# Builds and runs the packages in Examples.
examples: dependencies
	scripts/run-examples

benchmark: build
	.build/release/cli benchmark

clean:
	rm -rf .build Examples/*/.build
