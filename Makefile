# The menu. The logic lives in crates/xtask.

.DEFAULT_GOAL := help
.PHONY: help run test check chaos bench tidy fmt

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: ## Set up what is missing, build, start Markethall with a demo market (PORT, MARKETHALL_DATA_DIR)
	@cargo xtask run

test: ## Set up what tests need and run every test
	@cargo xtask test

check: ## Format, lint, tidy, requirements, dependency audit
	@cargo xtask check

chaos: ## Kill, freeze, fill and slow down everything under load, and print what was felt
	@cargo xtask chaos

bench: ## Print the benchmark table with the machine's own limits beside
	@cargo xtask bench

tidy: ## The architecture and style rules alone
	@cargo xtask tidy

fmt: ## Format all code
	@cargo fmt --all
