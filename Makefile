# The tasks of this repository. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo up build lambda package deploy test simulate soak storm fuzz mutants test-infra test-infra-real test-spark scan deny lint bench sample-export sample-table doc man clean

CARGO ?= cargo
# The processor architecture that the function is built for. On Lambda, arm64 costs a fifth less
# than x86_64.
# https://aws.amazon.com/lambda/pricing/
ARCH ?= arm64
ARCH_arm64 := --arm64
ARCH_x86_64 := --x86-64
# The function that `make deploy` deploys. The defaults are those of the Terraform module.
NAME ?= referee
MEMORY ?= 512
TIMEOUT ?= 60
DESCRIPTION := Checks and repairs references between DynamoDB items.
# Cargo's profile for the function.
PROFILE ?= release
# More options of the builds of the function and of the demo's tool.
OPTIONS :=
# The port of DynamoDB Local for `make up` and `make sample-table`.
PORT ?= 8000
# The demo, and how to run the tool.
TOOL := $(CARGO) run --locked --quiet --
DEMO := events/company-user
DEMO_ARGUMENTS := --rules $(DEMO)/referee.yaml --seed $(DEMO)/seed.json $(DEMO)/stream

# Tools that Cargo builds from source when they are first needed.
CARGO_DENY := .tools/cargo-deny-0.20.2
CARGO_FUZZ := .tools/cargo-fuzz-0.13.2
CARGO_MUTANTS := .tools/cargo-mutants-27.1.0

# What `make deny` checks: any of `advisories licenses bans sources`; all of them by default.
CHECKS ?=

# The simulation. Our own code is optimized, and the dependencies are built as for the other tests.
SIMULATION := $(CARGO) test --locked --config profile.dev.opt-level=3 \
	--config 'profile.dev.package."*".opt-level=0' --test simulation -- --nocapture
# How many histories are simulated. `make test` simulates as many as take a minute.
simulate: RUNS ?= 10000
test: RUNS ?= 2000

# The generator of exports, with optimized code for each byte, and the same other dependencies as
# the tests.
OPTIMIZED := referee-kit flate2 md-5 zlib-rs
SAMPLE := $(CARGO) run --locked --quiet --package referee-kit --features export \
	$(OPTIMIZED:%=--config profile.dev.package.%.opt-level=3) --example sample-export

# The Terraform module's own tests, and those of its agreement with the rest.
test_infra = tests/tools/with-terraform.sh \
	sh -c 'tests/tools/module-tests.sh && $(CARGO) test --locked --test infra $(1)'

# The targets in tests/fuzz, and how many seconds each runs.
TARGETS := decode rule_file key_templates replay
SECONDS_EACH ?= 60

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Replay recorded stream events: mirrors written, violations found
	@$(CARGO) build --locked --bin referee $(OPTIONS)
	@echo
	@echo "$$ referee replay $(DEMO_ARGUMENTS)"
	@$(TOOL) replay $(DEMO_ARGUMENTS) || test $$? -eq 1

up: ## Watch an example table on DynamoDB Local that you can write to (PORT=8000)
	@$(CARGO) build --locked --features live --bin referee
	@REFEREE_DYNAMODB_PORT=$(PORT) tests/tools/with-dynamodb-local.sh tests/tools/up.sh || test $$? -eq 1

build: ## Build the command-line tool, optimized, into target/release
	$(CARGO) build --locked --release --bin referee

test: ## Run the lints and every test (what CI runs); needs Java, npm and Python for the emulators of AWS
	@RUNS=$(RUNS) tests/tools/test.sh

simulate: ## Simulate histories with every kind of fault (RUNS=, or SEED= for one of them)
	SEED=$(SEED) RUNS=$(RUNS) $(SIMULATION)

soak: ## Simulate new histories until one fails, or until you stop it (FROM= the first seed)
	FROM=$(or $(FROM),$(shell date +%s)000000) RUNS=18446744073709551615 $(SIMULATION)

storm: ## Run the storms of changes and actions with more changes than `make test` (CHANGES=)
	CHANGES=$(or $(CHANGES),3360) tests/tools/with-dynamodb-local.sh $(CARGO) test --locked \
		--features lambda,live --test end_to_end -- --nocapture thousands_of_changes repairs_are_sound

fuzz: $(CARGO_FUZZ)/installed ## Fuzz every parser, a minute each (SECONDS_EACH=; TARGET= decode, rule_file, key_templates or replay)
	PATH="$(CURDIR)/$(<D)/bin:$$PATH" tests/fuzz/run.sh $(SECONDS_EACH) $(or $(TARGET),$(TARGETS))

test-infra: ## Run only the tests of the Terraform module
	$(call test_infra)

test-infra-real: ## Run the module's own tests with the real AWS provider, which Terraform downloads; needs no account
	REFEREE_INFRA_PROVIDER=real $(call test_infra,-- --test-threads=1)

# Not part of `make test`: Spark has 456 MB.
test-spark: ## Run the audit in SQL on Spark (installs pyspark, 456 MB; needs Java 17)
	tests/tools/install-python.sh tests/tools/spark.txt .tools/spark
	REFEREE_TEST_SPARK=$(CURDIR)/.tools/spark/bin/python $(CARGO) test --locked --test cases -- sql::spark

scan: ## Check the Terraform code for common mistakes (installs checkov, 290 MB)
	tests/tools/install-python.sh tests/tools/checkov.txt .tools/checkov
	.tools/checkov/bin/checkov --directory infra --skip-path tests --framework terraform \
		--skip-download --quiet --compact

# Not part of `make test`, because the tool takes minutes to build, and the advisories come from the
# network.
deny: $(CARGO_DENY)/installed ## Check the dependencies: advisories, licences, sources (builds cargo-deny, 5 minutes)
	PATH="$(CURDIR)/$(<D)/bin:$$PATH" $(CARGO) deny --locked --all-features check $(CHECKS)

mutants: $(CARGO_MUTANTS)/installed ## Mutate the pure modules, and check that a test fails for each mutant (hours; MUTANTS= arguments, such as --file 'src/data/*.rs')
	PATH="$(CURDIR)/$(<D)/bin:$$PATH" $(CARGO) mutants --cap-lints true --output target/mutants $(MUTANTS)

lint: ## Check formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets --all-features --quiet -- -D warnings
	$(CARGO) clippy --locked --quiet -- -D warnings
	$(CARGO) clippy --locked --no-default-features --quiet -- -D warnings

# The directory's name consists of the tool and its version.
.tools/cargo-%/installed:
	$(CARGO) install --quiet --locked --root $(@D) cargo-$(subst -,@,$*)
	@touch $@

lambda: .tools/cargo-lambda/installed.txt ## Build the function for Lambda, packed in target/lambda (ARCH=arm64 or x86_64)
	PATH="$(CURDIR)/.tools/cargo-lambda/bin:$$PATH" $(CARGO) lambda build --locked --profile $(PROFILE) $(ARCH_$(ARCH)) $(OPTIONS)

package: lambda ## Pack the function for Terraform, into target/lambda/referee-lambda/bootstrap.zip (RULES= a rule file to include)
	infra/package.py target/lambda/referee-lambda $(RULES)

deploy: ## Deploy the function with referee.yaml (ROLE= the ARN of its role; NAME= its name; MEMORY= in MB; TIMEOUT= in seconds; FLAGS= for `cargo lambda deploy`)
	@test -f referee.yaml || { echo "error: there is no referee.yaml to deploy; \`referee init\` writes one" >&2; exit 2; }
	@$(CARGO) run --locked --quiet -- check
	@$(MAKE) lambda
	PATH="$(CURDIR)/.tools/cargo-lambda/bin:$$PATH" $(CARGO) lambda deploy --description "$(DESCRIPTION)" \
		--memory $(MEMORY) --timeout $(TIMEOUT) --merge-env $(if $(ROLE),--role $(ROLE)) $(FLAGS) $(NAME)

.tools/cargo-lambda/installed.txt: tests/tools/cargo-lambda.txt
	@tests/tools/install-python.sh $< $(@D)

bench: ## Run the benchmarks: against implementations in Node, Python and SQL, and on known data sets
	$(CARGO) build --locked --release --no-default-features --features lambda --bin referee-lambda
	benches/peers/install.sh
	tests/tools/with-duckdb.sh $(CARGO) bench --locked --quiet
	tests/tools/with-dynamodb-local.sh $(CARGO) bench --locked --quiet --features live --bench live
	benches/infer/run.sh target/release/referee

sample-export: ## Write a rule file and an export with known violations into a folder (ITEMS=1000000, OUT=, SEED=1)
	@$(SAMPLE) -- $(or $(SEED),1) $(or $(ITEMS),1000000) $(or $(OUT),target/sample-export)

sample-table: ## Fill a table on DynamoDB Local to adopt Referee on, in some minutes (ITEMS=1000000, PORT=8000, OUT=)
	@$(CARGO) build --locked --quiet --package referee-kit --features live --example sample-table
	@REFEREE_DYNAMODB_PORT=$(PORT) REFEREE_DYNAMODB_HEAP=2g \
		tests/tools/with-dynamodb-local.sh tests/tools/sample-table.sh \
		$(or $(ITEMS),1000000) $(or $(OUT),target/sample-table)

man: ## Build the manual pages of the command-line tool, into target/man
	$(CARGO) run --locked --quiet --features live --example man -- target/man

doc: ## Build the API documentation
	$(CARGO) doc --locked --no-deps --document-private-items

clean: ## Remove what was built
	$(CARGO) clean
