# The two commands of the README are `make demo` and `make test`.

.PHONY: demo test build distributed dependencies docs examples benchmark clean

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

# Installs Open MPI, builds with it, and trains on two ranks.
distributed:
	scripts/run-ranks 2 train --cell urnn --length 50 --epochs 60 --shards 4

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
