import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Cluster, repository, startCluster } from "../src/Cluster.js"
import { type Kubectl, kubectl, peer } from "../src/Peers.js"
import { startCommand } from "../src/run.js"

const port = 17481
const folder = join(repository, "docs/observability")
const programs = { kubectl: peer("kubectl-1.36"), promtool: peer("promtool") }
const missing = Object.values(programs).includes(undefined)

const files = readdirSync(folder)
const ruleFiles = files.filter((name) => name.startsWith("alerts"))

/** The sources of all packages. */
const sources = (): string =>
  readdirSync(join(repository, "packages"))
    .flatMap((name) => readdirSync(join(repository, "packages", name, "src"), { withFileTypes: true, recursive: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
    .join("\n")

/** Names of metrics in expressions of the files. */
const used = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const names = texts.flatMap((text) => text.match(/\b(?:reddwarf|apiserver|scheduler|controller|kubelet|process|nodejs|prober|workqueue)_[a-z0-9_]+/g) ?? [])
  return [...new Set(names.map((name) => name.replace(/_(?:bucket|sum|count)$/, "")))].filter((name) => name !== "scheduler_")
}

describe("rules and dashboard", () => {
  it("use metrics that the programs have", () => {
    const text = sources()
    const texts = [...ruleFiles, "dashboard.json"].map((name) => readFileSync(join(folder, name), "utf8"))
    const names = used(texts)
    expect(names.length).toBeGreaterThan(30)
    // Some packages put their names together from a prefix and the rest.
    const isDefined = (name: string) => text.includes(`"${name}"`) || text.includes(`"${name.replace(/^reddwarf_node_health_/, "")}"`)
    expect(names.filter((name) => !isDefined(name))).toEqual([])
  })

  it.skipIf(programs.promtool === undefined)("are valid for promtool", async () => {
    const rules = await startCommand(programs.promtool ?? "", ["check", "rules", ...ruleFiles.map((name) => join(folder, name))]).done
    expect(rules.stderr).toBe("")
    expect(rules.code).toBe(0)
    expect(rules.stdout).toContain("SUCCESS")
    const config = await startCommand(programs.promtool ?? "", ["check", "config", "--syntax-only", join(folder, "prometheus.yaml")]).done
    expect([config.code, config.stderr]).toEqual([0, ""])
  })
})

describe.skipIf(missing)("what the programs serve (skipped without REDDWARF_PEERS)", () => {
  let cluster: Cluster
  let k: Kubectl

  beforeAll(async () => {
    cluster = await startCluster({ port })
    k = kubectl(programs.kubectl ?? "", cluster)
  }, 120_000)
  afterAll(async () => {
    await cluster.stop()
    cluster.dispose()
  }, 60_000)

  /** Names that Kubernetes and Effect have given, which the lint would not. */
  const namedByOthers = /^(?:kubelet_evictions|kubelet_node_name|workqueue_\w+|apiserver_\w+|leader_election_\w+|effect_fiber_\w+) /

  it.each([["the server", "/metrics"], ["an agent", "/api/v1/nodes/node-0/proxy/metrics"]])("%s is text that Prometheus reads", async (_, path) => {
    const text = await k.ok("get", "--raw", path)
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m)
    const checked = await startCommand(programs.promtool ?? "", ["check", "metrics"], { stdin: text }).done
    const problems = checked.stderr.split("\n").filter((line) => line !== "" && !namedByOthers.test(line))
    expect(problems).toEqual([])
    // 3 means that there were remarks, and they have been looked at.
    expect([0, 3]).toContain(checked.code)
  })
})
