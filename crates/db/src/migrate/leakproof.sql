-- Under row-level security PostgreSQL evaluates a condition before the tenant's only if its function is marked
-- leakproof, and only then may the condition use an index. These compare text and reveal nothing but their result;
-- `like` and `ilike` complain about a pattern that ends in a lone backslash, which our statements never send.
alter function pg_catalog.textlike(text, text) leakproof;
alter function pg_catalog.texticlike(text, text) leakproof;
alter function public.similarity_op(text, text) leakproof;
alter function public.word_similarity_op(text, text) leakproof;
alter function public.word_similarity_commutator_op(text, text) leakproof;
alter function public.strict_word_similarity_op(text, text) leakproof;
alter function public.strict_word_similarity_commutator_op(text, text) leakproof;
alter function pg_catalog.ts_match_vq(tsvector, tsquery) leakproof;
