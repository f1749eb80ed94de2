//! Rules that need the Rust syntax tree.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{
    Attribute, Block, Expr, ExprCall, Ident, ImplItemFn, ItemFn, ItemMod, LitStr, Macro, Signature,
    TraitItemFn,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{Finding, SourceFile, nouns, sql};

const FUNCTION_LINES: usize = 70;
const FORMATTING: [&str; 6] = ["format", "write", "writeln", "format_args", "print", "println"];

/// Functions of at most 70 lines, no `allow`, no ignored tests, no sleeping tests, and the rules of SQL and of nouns.
pub(crate) fn check(file: &SourceFile) -> Vec<Finding> {
    let syntax = match syn::parse_file(&file.text) {
        Ok(syntax) => syntax,
        Err(error) => {
            let line = error.span().start().line;
            return vec![Finding::new(&file.path, line, "syntax", error.to_string())];
        }
    };
    let mut visitor = Visitor { file, findings: Vec::new(), in_test: file.is_test(), paused_clock: false };
    visitor.visit_file(&syntax);
    visitor.findings
}

struct Visitor<'a> {
    file: &'a SourceFile,
    findings: Vec<Finding>,
    in_test: bool,
    /// Inside a test whose clock stands still, where sleeping takes no time.
    paused_clock: bool,
}

impl Visitor<'_> {
    fn add(&mut self, span: Span, rule: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::new(&self.file.path, span.start().line, rule, message));
    }

    fn function(&mut self, attrs: &[Attribute], signature: &Signature, block: &Block) -> bool {
        let lines = block.span().end().line + 1 - signature.span().start().line;
        if lines > FUNCTION_LINES {
            let message = format!("`{}` has {lines} lines, at most {FUNCTION_LINES}", signature.ident);
            self.add(signature.span(), "function-length", message);
        }
        let paused = attrs.iter().any(|attr| mentions(attr, "start_paused"));
        std::mem::replace(&mut self.paused_clock, paused)
    }

    fn literal(&mut self, text: &LitStr) {
        if !self.in_test {
            let line = text.span().start().line;
            self.findings.extend(sql::check_literal(self.file, line, &text.value()));
        }
    }

    /// Macros are not parsed by the compiler's front, but their words and strings are ours all the same.
    fn tokens(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(ident) => self.visit_ident(&ident),
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string()) {
                        let mut text = text;
                        text.set_span(literal.span());
                        self.literal(&text);
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_attribute(&mut self, attr: &'ast Attribute) {
        let is = |name: &str| attr.path().is_ident(name);
        if is("allow") || (is("cfg_attr") && mentions(attr, "allow")) {
            self.add(attr.span(), "allow", "use #[expect(.., reason = \"..\")]");
        }
        if is("ignore") {
            self.add(attr.span(), "ignored-test", "a test runs or is not there");
        }
        if !is("doc") {
            visit::visit_attribute(self, attr);
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        let outer = self.in_test;
        self.in_test |= module.attrs.iter().any(|attr| attr.path().is_ident("cfg") && mentions(attr, "test"));
        visit::visit_item_mod(self, module);
        self.in_test = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let outer = self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_item_fn(self, item);
        self.paused_clock = outer;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        let outer = self.function(&item.attrs, &item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
        self.paused_clock = outer;
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if let Some(block) = &item.default {
            let outer = self.function(&item.attrs, &item.sig, block);
            visit::visit_trait_item_fn(self, item);
            self.paused_clock = outer;
        } else {
            visit::visit_trait_item_fn(self, item);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if self.in_test
            && !self.paused_clock
            && let Expr::Path(path) = &*call.func
            && path.path.segments.last().is_some_and(|name| name.ident == "sleep")
        {
            self.add(call.span(), "sleeping-test", "wait for the condition, not for a time");
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_lit_str(&mut self, text: &'ast LitStr) {
        self.literal(text);
    }

    fn visit_ident(&mut self, ident: &Ident) {
        if self.in_test {
            return;
        }
        let line = ident.span().start().line;
        self.findings.extend(nouns::check(self.file, line, &ident.to_string()));
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        let name = invocation.path.segments.last().map(|name| name.ident.to_string());
        if !self.in_test && name.is_some_and(|name| FORMATTING.contains(&name.as_str())) {
            let first = invocation.tokens.clone().into_iter().find_map(|tree| match tree {
                TokenTree::Literal(literal) => syn::parse_str::<LitStr>(&literal.to_string()).ok(),
                _ => None,
            });
            if let Some(format) = first {
                let line = invocation.span().start().line;
                self.findings.extend(sql::check_format(self.file, line, &format.value()));
            }
        }
        self.tokens(invocation.tokens.clone());
    }
}

/// Whether the arguments of an attribute have `word` as a whole word.
fn mentions(attr: &Attribute, word: &str) -> bool {
    fn within(tokens: TokenStream, word: &str) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Group(group) => within(group.stream(), word),
            TokenTree::Ident(ident) => ident == word,
            _ => false,
        })
    }
    attr.meta.require_list().is_ok_and(|list| within(list.tokens.clone(), word))
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::check;

    const PATH: &str = "crates/sales/src/x.rs";

    #[test]
    fn a_function_of_71_lines_is_found_and_one_of_70_is_not() {
        for (open, close) in
            [("fn a() {\n", "}\n"), ("impl A {\nfn a() {\n", "}\n}\n"), ("trait A {\nfn a() {\n", "}\n}\n")]
        {
            let line = open.matches('\n').count();
            let text = format!("{open}{}{close}", "let _ = 1;\n".repeat(69));
            assert_eq!(found(check, PATH, &text), [format!("{line} function-length")]);
            let text = format!("{open}{}{close}", "let _ = 1;\n".repeat(68));
            assert!(found(check, PATH, &text).is_empty());
        }
    }

    #[test]
    fn an_allow_is_found_wherever_it_stands_and_an_expect_is_not() {
        assert_eq!(
            found(check, PATH, "#![allow(dead_code)]\n#[allow(unused)]\nfn a() {}\n"),
            ["1 allow", "2 allow"]
        );
        assert_eq!(found(check, PATH, "#[cfg_attr(test, allow(unused))]\nfn a() {}\n"), ["1 allow"]);
        assert!(found(check, PATH, "#[expect(unused, reason = \"allow\")]\nfn allow() {}\n").is_empty());
    }

    #[test]
    fn sql_is_found_in_literals_in_macros_and_in_format_strings() {
        let text = "fn a() {\n  let q = \"select name from catalog.product\";\n  run!(\"select * from sales.sale\");\n}\n";
        assert_eq!(found(check, PATH, text), ["2 foreign-schema", "3 select-star"]);
        let text = "fn a(t: &str) {\n  let q = format!(\"select id from {t}\");\n}\n";
        assert_eq!(found(check, PATH, text), ["2 built-sql"]);
    }

    #[test]
    fn documentation_and_tests_may_speak_of_other_schemas() {
        let text = "/// select name from catalog.product\nfn a() {}\n#[cfg(test)]\nmod tests {\n  const Q: &str = \
                    \"select name from catalog.product\";\n}\n";
        assert!(found(check, PATH, text).is_empty());
    }

    #[test]
    fn business_nouns_are_found_in_foundations_only() {
        let text = "struct ProductId;\nfn a() { log!(cart_size); }\n";
        assert_eq!(found(check, "crates/edge/src/x.rs", text), ["1 business-noun", "2 business-noun"]);
        assert!(found(check, PATH, text).is_empty());
        let text = "#[cfg(test)]\nmod tests {\n  struct ProductCreated;\n}\n";
        assert!(found(check, "crates/messages/src/x.rs", text).is_empty());
        let text = "/// A product.\nuse std::cmp::Ordering;\nconst A: &str = \"sales:read\";\n";
        assert!(found(check, "crates/kernel/src/x.rs", text).is_empty());
    }

    #[test]
    fn a_test_that_sleeps_is_found_unless_its_clock_stands_still() {
        let text = "#[cfg(test)]\nmod tests {\n  fn a() {\n    tokio::time::sleep(D);\n  }\n}\nfn b() { sleep(D); }\n";
        assert_eq!(found(check, PATH, text), ["4 sleeping-test"]);
        assert_eq!(found(check, "crates/sales/tests/it/a.rs", "fn a() { sleep(D); }"), ["1 sleeping-test"]);
        let text = "#[tokio::test(start_paused = true)]\nasync fn a() { sleep(D).await; }\n";
        assert!(found(check, "crates/sales/tests/it/a.rs", text).is_empty());
    }

    #[test]
    fn an_ignored_test_and_broken_syntax_are_found() {
        assert_eq!(found(check, PATH, "#[test]\n#[ignore]\nfn a() {}\n"), ["2 ignored-test"]);
        assert_eq!(found(check, PATH, "fn a( {}\n"), ["1 syntax"]);
    }
}
