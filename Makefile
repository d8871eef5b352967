# Everything that a person does with this repository. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo build test lint bench doc clean

CARGO ?= cargo
DEMO := events/company-user
DEMO_ARGUMENTS := --rules $(DEMO)/referee.yaml --seed $(DEMO)/seed.json $(DEMO)/stream

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Replay recorded stream events: mirrors written, violations found
	@$(CARGO) build --locked --bin referee
	@echo
	@echo "$$ referee replay $(DEMO_ARGUMENTS)"
	@$(CARGO) run --locked --quiet -- replay $(DEMO_ARGUMENTS) || test $$? -eq 1

build: ## Build the command-line tool, optimized, into target/release
	$(CARGO) build --locked --release --bin referee

test: lint ## Run every test (what CI runs), on DynamoDB Local too where Java and npm are there
	tests/with-dynamodb-local.sh $(CARGO) test --locked --all-features

lint: ## Check formatting and lints
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --all-features --quiet -- -D warnings
	$(CARGO) clippy --locked --all-targets --quiet -- -D warnings
	$(CARGO) clippy --locked --no-default-features --quiet -- -D warnings

bench: ## Measure, as ratios within one run
	$(CARGO) bench --locked --quiet

doc: ## Build the API documentation
	$(CARGO) doc --locked --no-deps --document-private-items

clean: ## Remove what was built
	$(CARGO) clean
