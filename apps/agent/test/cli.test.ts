import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Program } from "@reddwarf/cli"
import { Console, Effect, Either, Option } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { command } from "../src/Cli.js"
import * as Host from "../src/Host.js"
import { hostCommandLine } from "../src/HostCommandLine.js"
import * as NetworkSettings from "../src/NetworkSettings.js"
import { names } from "../src/RunSettings.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-agent-cli-"))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs one command line in this process; gives exit status and standard error. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const errors: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = { ...console, error: (...args) => Effect.sync(() => void errors.push(args.join(" "))) }
    const { argv, hostCommand } = hostCommandLine(["node", "reddwarf-agent", ...words])
    const tree = yield* Effect.promise(() => command(argv[2], hostCommand))
    const exit = yield* Program.run({ name: "reddwarf-agent", version: "1", prefix: "REDDWARF", names, command: tree, argv, environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status, errors: errors.join("\n") }
  })

describe("reddwarf-agent", () => {
  it("takes the files of the agent for those of this machine, and all others for those of its host", () => {
    const real = Host.realPathBeside("sim", "/d/agent/")
    assert.deepStrictEqual(["/d/agent", "/d/agent/node-health.json", "/d/agents", "/etc/mnttab"].map(real), [
      "/d/agent",
      "/d/agent/node-health.json",
      "/d/agent/host/root/d/agents",
      "/d/agent/host/root/etc/mnttab"
    ])
    assert.strictEqual(Host.realPathBeside("illumos", "/d/agent")("/etc/mnttab"), "/etc/mnttab")
  })

  it("leaves the words after -- to the host", () => {
    assert.deepStrictEqual(hostCommandLine(["node", "agent", "host", "--data-dir", "/d", "--", "zoneadm", "list", "-cv"]), {
      argv: ["node", "agent", "host", "--data-dir", "/d"],
      hostCommand: ["zoneadm", "list", "-cv"]
    })
    assert.deepStrictEqual(hostCommandLine(["node", "agent", "run", "--", "x"]).hostCommand, [])
  })

  it.effect.skipIf(process.platform === "sunos")("refuses to take another machine for an illumos host", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory)
      assert.strictEqual(status, 1)
      assert.include(errors, "give --host sim")
    }))

  it.effect("wants a loopback range for the pods of a simulated host", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory, "--host", "sim", "--pod-cidr", "10.88.0.0/16")
      assert.strictEqual(status, 2)
      assert.include(errors, "must be a loopback range")
    }))

  it("gives a node ranges of both families, and a VXLAN when it has an address on it", () => {
    const none = {
      podCidr: Option.none(),
      egressLink: Option.none(),
      podMtu: Option.none(),
      clusterCidr: Option.none(),
      podRoutes: Option.none(),
      podPeers: Option.none(),
      overlayAddress: Option.none(),
      overlayId: 4096,
      overlayPort: 4789,
      clusterDns: Option.none(),
      clusterDomain: "cluster.local"
    }
    const cidrs = (host: "sim" | "illumos", ...podCidr: ReadonlyArray<string>) =>
      NetworkSettings.podCidrs(host, { podCidr: podCidr.length === 0 ? Option.none() : Option.some(podCidr) })
    assert.deepStrictEqual(cidrs("illumos"), Either.right(["10.88.0.0/16"]))
    assert.deepStrictEqual(cidrs("sim"), Either.right(["127.88.0.0/16"]))
    assert.deepStrictEqual(cidrs("sim", "127.88.1.0/24", "fd00:88::/64"), Either.right(["127.88.1.0/24", "fd00:88::/64"]))
    assert.deepStrictEqual(cidrs("sim", "127.88.1.0/24", "10.88.0.0/24"), Either.left("10.88.0.0/24"))
    const node = { dataDir: "/d", nodeAddress: "192.0.2.11" }
    const real = NetworkSettings.networkOf({ ...node, host: "illumos" }, none)
    assert.deepStrictEqual([real.egressLink, real.peersFromNodes, real.interconnect], ["auto", true, undefined])
    assert.strictEqual(real.formerLinks?.join(), "rdport0,rdovl0")
    const simulated = NetworkSettings.networkOf({ ...node, host: "sim" }, { ...none, overlayAddress: Option.some("172.30.0.11/24") })
    assert.deepStrictEqual([simulated.egressLink, simulated.peersFromNodes, simulated.formerLinks], [undefined, false, undefined])
    assert.deepInclude(simulated.interconnect, { type: "vxlan", listenAddress: "192.0.2.11", address: "172.30.0.11/24", vnetid: 4096, directory: "/d/network" })
  })

  it.effect("checks every setting, also those from a file", () =>
    Effect.gen(function*() {
      const base = ["run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory, "--host", "sim"]
      const wrong = [
        ["--node-name", "Bad_Name"],
        ["--data-dir", "relative"],
        ["--data-dir", "/a/../b"],
        ["--max-pods", "0"],
        ["--system-reserved-cpu", "much"],
        ["--kubelet-bind", "localhost"],
        ["--zones-dataset", "/rpool"],
        ["--supported-brands", "LX"],
        ["--pod-cidr", "127.88.0.0"],
        ["--pod-peers", "some"],
        ["--overlay-address", "172.30.0.11"],
        ["--overlay-id", "16777216"],
        ["--cluster-dns", "dns.example.org"],
        ["--cluster-domain", "-local"]
      ]
      for (const [flag = "", value = ""] of wrong) {
        const words = base.filter((_, index) => base[index] !== flag && base[index - 1] !== flag)
        assert.strictEqual((yield* run(...words, flag, value)).status, 2, `${flag} ${value}`)
      }
      const file = join(directory, "agent.yaml")
      writeFileSync(file, "max-pods: many\n")
      assert.notStrictEqual((yield* run(...base, "--config", file)).status, 0)
    }))

  it.effect("says what is wrong when no agent has run, or no command was given", () =>
    Effect.gen(function*() {
      const nowhere = yield* run("host", "--data-dir", join(directory, "none"), "--", "zoneadm", "list")
      assert.strictEqual(nowhere.status, 1)
      assert.include(nowhere.errors, "no agent has run with the data directory")
      assert.strictEqual((yield* run("host", "--data-dir", directory)).status, 2)
    }))
})
