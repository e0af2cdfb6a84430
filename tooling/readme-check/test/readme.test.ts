import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const packages = fileURLToPath(new URL("../../../packages", import.meta.url))
const repository = join(packages, "..")

const blocks = (markdown: string): ReadonlyArray<string> => [...markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "")

for (const name of readdirSync(packages)) {
  describe(name, () => {
    const examples = join(packages, name, "examples")
    const files = existsSync(examples) ? readdirSync(examples).filter((file) => file.endsWith(".ts")) : []
    const readme = join(packages, name, "README.md")

    it("has a README with an example, and each example in it is a file", () => {
      const found = blocks(readFileSync(readme, "utf8"))
      expect(found.length).toBeGreaterThan(0)
      const contents = files.map((file) => readFileSync(join(examples, file), "utf8"))
      for (const block of found) expect(contents, `this block of ${name}/README.md is no file in examples/:\n${block}`).toContain(block)
    })
    for (const file of files) {
      it(`runs examples/${file}`, async () => {
        await import(/* @vite-ignore */ join(examples, file))
      })
    }
  })
}

it("each program in the tutorial for schedulers is an example of the package", () => {
  const examples = join(packages, "scheduler", "examples")
  const contents = readdirSync(examples).map((file) => readFileSync(join(examples, file), "utf8"))
  const found = blocks(readFileSync(join(repository, "docs", "writing-a-scheduler.md"), "utf8"))
  expect(found.length).toBe(3)
  for (const block of found) expect(contents, `this block is no file in examples/:\n${block}`).toContain(block)
  const lines = (file: string): number => readFileSync(join(examples, file), "utf8").trimEnd().split("\n").length
  expect(lines("plugin.ts")).toBeLessThanOrEqual(30)
  expect(lines("scheduler.ts")).toBeLessThanOrEqual(60)
})

it("the README of the repository names every package", () => {
  const readme = readFileSync(join(repository, "README.md"), "utf8")
  for (const name of readdirSync(packages)) expect(readme).toContain(name)
})

it("no committed text names a machine path or a registry host", () => {
  const listed = execFileSync("git", ["ls-files"], { cwd: repository, encoding: "utf8" }).split("\n").filter((file) => /\.(ts|mjs|json|yaml|md|run)$/.test(file) && !file.endsWith("pnpm-lock.yaml"))
  const offending = listed.filter((file) => existsSync(join(repository, file)) && /(^|[\s"'`(=])\/(work|opt\/peers)\/|registry\.npmjs\.org|deb\.debian\.org/m.test(readFileSync(join(repository, file), "utf8")) && !file.startsWith("tooling/readme-check/"))
  expect(offending).toEqual([])
})
