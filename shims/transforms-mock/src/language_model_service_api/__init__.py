"""The requests that Palantir-provided language models take: plain records, answered by Foundry or by a stand-in."""
