/** kubectl 1.20, 1.32 and 1.36 against the server: every verb prints what it prints with Kubernetes. */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, repository, startCluster } from "../src/Cluster.js"
import { type Case, render, type Scenario, type Version, versions } from "../src/Conformance.js"
import { runScenarios } from "../src/ConformanceRun.js"
import { peer } from "../src/Peers.js"
import { type Server, startServer } from "../src/Server.js"
import { onNodes, onServer } from "./conformance/index.js"

const committed = join(repository, "docs/conformance.md")
const agreed = new Map<Version, boolean>()
const programs = versions.map((version) => ({ version, program: peer(`kubectl-${version}`) }))

/** One test for each case, after all of them have run. */
const report = (version: Version, scenarios: ReadonlyArray<Scenario>, found: () => ReadonlyMap<Case, string | undefined>): void => {
  for (const scenario of scenarios) {
    describe(scenario.name, () => {
      for (const one of scenario.cases.filter((candidate) => candidate.only?.includes(version) !== false)) {
        it(`${one.command}${one.notYet === true ? " (not yet)" : ""}`, () => {
          const finding = found().has(one) ? found().get(one) : "did not run"
          agreed.set(version, finding === undefined && agreed.get(version) !== false)
          if (finding !== undefined) throw new Error(finding)
        })
      }
    })
  }
}

for (const [index, { version, program }] of programs.entries()) {
  describe.skipIf(program === undefined)(`kubectl ${version}`, () => {
    let server: Server
    let found: ReadonlyMap<Case, string | undefined> = new Map()

    beforeAll(async () => {
      server = await startServer(18_510 + index)
      found = await runScenarios({ program: program ?? "", version, kubeconfig: readFileSync(server.kubeconfig, "utf8"), directory: server.directory }, onServer)
    })
    afterAll(() => server.stop())

    report(version, onServer, () => found)
  })
}

describe.skipIf(programs.every(({ program }) => program === undefined))("on the demo's node", () => {
  const found = new Map<Version, ReadonlyMap<Case, string | undefined>>()
  let cluster: Cluster

  beforeAll(async () => {
    cluster = await startCluster({ port: 18_520 })
    const kubeconfig = readFileSync(cluster.kubeconfig, "utf8")
    await Promise.all(programs.map(async ({ version, program }) => {
      if (program !== undefined) found.set(version, await runScenarios({ program, version, kubeconfig, directory: cluster.directory }, onNodes))
    }))
    // Rates of CPU time need two looks at a pod that has run for a while.
  }, 480_000)
  afterAll(async () => {
    await cluster.stop()
    cluster.dispose()
  })

  for (const { version, program } of programs) {
    describe.skipIf(program === undefined)(`kubectl ${version}`, () => {
      report(version, onNodes, () => found.get(version) ?? new Map())
    })
  }
})

describe("docs/conformance.md", () => {
  it("says what the cases say (UPDATE_CONFORMANCE=1 writes it anew)", () => {
    const text = render([...onServer, ...onNodes])
    if (process.env["UPDATE_CONFORMANCE"] === "1") {
      const missing = versions.filter((version) => agreed.get(version) !== true)
      if (missing.length > 0) throw new Error(`not written: kubectl ${missing.join(", ")} did not run, or answers differ`)
      writeFileSync(committed, text)
    }
    expect(readFileSync(committed, "utf8")).toBe(text)
  })
})
