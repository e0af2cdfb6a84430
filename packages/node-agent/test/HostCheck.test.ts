import { assert, describe, it } from "@effect/vitest"
import { HostState, SimulatedHost } from "@reddwarf/illumos-sim"
import * as Sim from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Clock, DateTime, Deferred, Effect, Fiber, Layer, TestClock } from "effect"
import * as fs from "node:fs"
import * as http from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { settle } from "vitest-config/waiting"
import * as ApiServerProbe from "../src/node/ApiServerProbe.js"
import * as HostCheck from "../src/hostcheck/HostCheck.js"
import * as HostCheckReport from "../src/hostcheck/HostCheckReport.js"
import * as HostChecks from "../src/hostcheck/HostChecks.js"

const parent = fs.existsSync("/dev/shm") ? "/dev/shm" : os.tmpdir()
const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(parent, "host-check-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

const gibibyte = 1024 ** 3

type SimulatedOptions = Omit<SimulatedHost.Options, "directory">

/** A simulated host on which nothing is wrong, unless it is told to be otherwise. */
const hostWith = (options: SimulatedOptions = {}) =>
  Effect.gen(function*() {
    const folder = yield* directory
    const context = yield* Layer.build(SimulatedHost.layerWithControls({ memoryMiB: 1024, cpus: 2, pools: [{ name: "rpool", size: 64 * gibibyte }], ...options, directory: folder }))
    const { run } = yield* Effect.provide(CommandRunner.CommandRunner, context)
    const controls = yield* Effect.provide(SimulatedHost.SimulatedHost, context)
    const sh = (text: string) => {
      const [program = "", ...args] = text.split(" ")
      return run(CommandLine.make(program, ...args))
    }
    const check = (settings: Partial<HostChecks.Settings> = {}, limits: HostCheck.Options = {}) =>
      HostCheck.run(
        HostChecks.of({
          dataDir: folder,
          storagePool: "rpool",
          brands: [],
          nodeVersion: "24.11.0",
          pid: process.pid,
          space: () => Effect.succeed({ available: 50 * gibibyte, writable: true }),
          ...settings
        }),
        limits
      ).pipe(Effect.provide(Layer.succeedContext(context)))
    // What a fresh installation leaves to its administrator.
    yield* sh("svcadm enable -s ipfilter")
    yield* sh("ipadm set-prop -p forwarding=on ipv4")
    return { ...controls, run, sh, check, folder }
  })

type Checked = Effect.Effect.Success<ReturnType<typeof hostWith>>

interface Row {
  readonly what: string
  readonly check: string
  readonly status: HostCheck.Status
  readonly found: RegExp
  readonly next: RegExp
  readonly options?: SimulatedOptions
  readonly settings?: Partial<HostChecks.Settings>
  readonly provoke?: (host: Checked) => Effect.Effect<unknown, CommandRunner.CommandUnavailable | Sim.StateFile.StateUnavailable>
}

const write = (host: Checked, name: string, text: string) => Effect.sync(() => fs.writeFileSync(host.realPath(name), text))

const provoked: ReadonlyArray<Row> = [
  {
    what: "an account without privileges", check: "privileges", status: "problem", found: /op has not all privileges.*proc_zone/, next: /run the agent as root/,
    options: { account: { uid: 100, name: "op", privileges: ["basic"] } }
  },
  { what: "an old Node.js", check: "node", status: "problem", found: /18\.2\.0/, next: /24 or later/, settings: { nodeVersion: "18.2.0" } },
  { what: "the zonecfg of illumos-gate", check: "zonecfg", status: "warning", found: /dialect gate, 7 fields.*rcapd/, next: /svcadm enable system\/rcap/, options: { dialect: "gate" } },
  { what: "no brand at all", check: "brands", status: "problem", found: /no brand is installed/, next: /pkg install/, options: { brands: [] } },
  { what: "a brand that was asked for and is not there", check: "brands", status: "problem", found: /^pkgsrc is not installed$/, next: /system\/zones\/brand\/pkgsrc/, options: { brands: ["lx"] }, settings: { brands: ["lx", "pkgsrc"] } },
  { what: "bhyve without the hardware", check: "brands", status: "warning", found: /lx; not bhyve: .*firmware/, next: /virtual machines/, options: { brands: ["lx", "bhyve"], virtualization: "none" } },
  { what: "bhyve that was asked for, without the hardware", check: "brands", status: "problem", found: /bhyve cannot be used/, next: /firmware/, options: { brands: ["lx", "bhyve"], virtualization: "none" }, settings: { brands: ["bhyve"] } },
  { what: "no such pool", check: "pool", status: "problem", found: /there is no pool tank/, next: /--storage-pool: rpool/, settings: { storagePool: "tank/pods" } },
  {
    what: "pools that cannot be listed", check: "pool", status: "unknown", found: /pools cannot be listed: internal error/, next: /by hand/,
    provoke: (host) => host.inject(Sim.Faults.failNext({ program: "zpool", stderr: "internal error: failed to initialize ZFS library" }))
  },
  { what: "a directory that cannot be written", check: "data-directory", status: "problem", found: /cannot be written/, next: /mode 0700/, settings: { space: () => Effect.succeed({ available: gibibyte, writable: false }) } },
  { what: "a full disk", check: "data-directory", status: "problem", found: /0\.0 GiB free/, next: /free some space/, settings: { space: () => Effect.succeed({ available: 1, writable: true }) } },
  { what: "little disk space", check: "data-directory", status: "warning", found: /0\.5 GiB free/, next: /container logs/, settings: { space: () => Effect.succeed({ available: gibibyte / 2, writable: true }) } },
  { what: "a scheduler without shares", check: "scheduling-class", status: "warning", found: /class is TS/, next: /dispadmin -d FSS/, options: { schedulingClass: "TS" } },
  { what: "no scheduling class", check: "scheduling-class", status: "warning", found: /no default/, next: /dispadmin -d FSS/, options: { schedulingClass: "" } },
  { what: "no physical link", check: "links", status: "problem", found: /no physical link/, next: /network device/, options: { links: [] } },
  { what: "no forwarding", check: "forwarding", status: "warning", found: /forwarding is off/, next: /ipadm set-prop/, provoke: (host) => host.sh("ipadm set-prop -p forwarding=off ipv4") },
  { what: "no address translation", check: "ipfilter", status: "warning", found: /is disabled/, next: /svcadm enable network\/ipfilter/, provoke: (host) => host.sh("svcadm disable -s ipfilter") },
  { what: "broken filter rules", check: "ipfilter", status: "warning", found: /is maintenance/, next: /svcadm clear/, provoke: (host) => host.sh("svcadm mark maintenance ipfilter") },
  { what: "no ipfilter at all", check: "ipfilter", status: "problem", found: /there is no service/, next: /pkg install/, provoke: (host) => host.sh("svccfg delete -f svc:/network/ipfilter:default") },
  { what: "no name server", check: "name-resolution", status: "problem", found: /names no name server/, next: /nameserver/, provoke: (host) => write(host, "/etc/resolv.conf", "search example.org\n") },
  { what: "an API server that has no address", check: "name-resolution", status: "problem", found: /api\.example\.org is not found/, next: /\/etc\/hosts/, settings: { server: new URL("http://api.example.org:1") } },
  { what: "a clock that nobody keeps", check: "clock", status: "warning", found: /no time service/, next: /network\/ntp/, provoke: (host) => host.sh("svcadm disable -s ntp") },
  { what: "a service in maintenance", check: "services", status: "warning", found: /svc:\/system\/cron:default/, next: /svcs -x/, provoke: (host) => host.sh("svcadm mark maintenance cron") },
  {
    what: "an incomplete zone", check: "zones", status: "warning", found: /incomplete: web/, next: /uninstall -F/,
    provoke: (host) => Effect.zipRight(host.sh("zonecfg -z web create -b; set zonepath=/zones/web; set brand=sparse; set ip-type=exclusive"), host.sh("zoneadm -z web mark -F incomplete"))
  }
]

describe("checks of a host", () => {
  it.live("find nothing wrong with a host that is set up, and look only", () =>
    Effect.scoped(Effect.gen(function*() {
      const host = yield* hostWith()
      const before = HostState.encode(yield* host.state)
      const findings = yield* host.check({ brands: ["lx", "sparse"] })
      assert.deepStrictEqual(findings.filter(({ status }) => status !== "ok"), [])
      assert.strictEqual(HostState.encode(yield* host.state), before)
      assert.isTrue(HostCheck.isUsable(findings))
      assert.match(HostCheckReport.table(HostCheckReport.of(findings)), /This host can be used\.$/)
    })))

  it.live.each(provoked.map((row) => [row.what, row] as const))("find %s", ([, row]) =>
    Effect.scoped(Effect.gen(function*() {
      const host = yield* hostWith(row.options)
      if (row.provoke !== undefined) yield* row.provoke(host)
      const finding = (yield* host.check(row.settings)).find(({ name }) => name === row.check)
      assert.strictEqual(finding?.status, row.status, JSON.stringify(finding))
      assert.match(finding?.found ?? "", row.found)
      assert.match(finding?.next ?? "", row.next)
    })), 60_000)

  it.live("go on when commands fail or are missing, and say which answer is missing", () =>
    Effect.scoped(Effect.gen(function*() {
      const settings = { dataDir: "/", storagePool: "rpool", brands: [], nodeVersion: "24.0.0", pid: 1 }
      const broken = CommandRunner.layerTest((line) =>
        line.program.endsWith("svcs")
          ? Effect.fail(new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "NotFound", detail: "No such file or directory" }))
          : CommandRunner.result({ exitCode: 1, stderr: "it is broken" }))
      const findings = yield* Effect.provide(HostCheck.run(HostChecks.of(settings)), broken)
      assert.strictEqual(findings.length, HostChecks.of(settings).length)
      assert.isFalse(HostCheck.isUsable(findings))
      assert.isTrue(findings.every(({ found, next, status }) => found !== "" && (status === "ok" || next !== undefined)))
      assert.strictEqual(findings.find(({ name }) => name === "services")?.status, "unknown")
      assert.strictEqual(findings.find(({ name }) => name === "node")?.status, "ok")
    })))

  it.effect("end after their time, also when one cannot be interrupted, and when one has a defect", () =>
    Effect.gen(function*() {
      const never = yield* Deferred.make<never>()
      const checks: ReadonlyArray<HostCheck.Check> = [
        { name: "stuck", ask: Effect.uninterruptible(Deferred.await(never)) },
        { name: "broken", ask: Effect.die(new Error("no luck")) },
        { name: "refused", ask: Effect.fail({ message: "it said no" }) },
        { name: "fine", ask: Effect.succeed(HostCheck.ok("good")) }
      ]
      const fiber = yield* Effect.fork(HostCheck.run(checks, { timeout: "5 seconds", concurrency: 1 }))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      yield* settle
      const findings = yield* Fiber.join(fiber)
      assert.deepStrictEqual(findings.map(({ name, status }) => [name, status]), [["stuck", "unknown"], ["broken", "unknown"], ["refused", "unknown"], ["fine", "ok"]])
      assert.include(findings[0]?.found, "no answer within 5s")
      assert.include(findings[1]?.found, "no luck")
      assert.strictEqual(findings[2]?.found, "it said no")
    }))

  it("tell what to do below the table, the verdict last", () => {
    const report = HostCheckReport.of([
      { name: "node", ...HostCheck.ok("Node.js 24") },
      { name: "clock", ...HostCheck.warning("drifts", "keep it") },
      { name: "pool", ...HostCheck.problem("gone", "find it") },
      { name: "services", ...HostCheck.unknown("no answer", "ask again") }
    ])
    assert.isFalse(report.usable)
    assert.strictEqual(
      HostCheckReport.table(report),
      [
        "CHECK     STATUS   FOUND",
        "node      ok       Node.js 24",
        "clock     WARNING  drifts",
        "pool      PROBLEM  gone",
        "services  UNKNOWN  no answer",
        "",
        "WARNING clock: keep it",
        "PROBLEM pool: find it",
        "UNKNOWN services: ask again",
        "",
        "This host cannot be used yet: 1 problem, 1 unknown, 1 warning."
      ].join("\n")
    )
  })

  it("are as bad as their worst part", () => {
    const merged = HostCheck.worst([HostCheck.ok("a"), HostCheck.problem("b", "do b"), HostCheck.warning("c", "do c"), HostCheck.problem("d", "do d")])
    assert.deepStrictEqual(merged, { status: "problem", found: "b; d", next: "do b; do d" })
    assert.deepStrictEqual(HostCheck.worst([HostCheck.ok("a"), HostCheck.ok("b")]), { status: "ok", found: "a; b" })
  })
})

/** A server on a port of its own that answers with this status and this clock. */
const serverWith = (status: number, skewMillis: number) =>
  Effect.acquireRelease(
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.async<http.Server>((resume) => {
        const date = DateTime.toDateUtc(DateTime.unsafeMake(now + skewMillis)).toUTCString()
        const server = http.createServer((_request, response) => {
          response.sendDate = false
          response.writeHead(status, { date }).end("ok")
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      })),
    (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const urlOf = (server: http.Server): URL => {
  const address = server.address()
  return new URL(`http://127.0.0.1:${address === null || typeof address === "string" ? 0 : address.port}`)
}

describe("the API server", () => {
  it.live.each([
    ["answers", 200, 0, "ok", "ok"],
    ["is starting", 503, 0, "warning", "ok"],
    ["has a slightly other clock", 200, 8_000, "ok", "warning"],
    ["has another clock", 200, -120_000, "ok", "problem"]
  ] as const)("%s", ([, status, skew, reachable, clock]) =>
    Effect.scoped(Effect.gen(function*() {
      const host = yield* hostWith()
      const server = urlOf(yield* serverWith(status, skew))
      const findings = yield* host.check({ server })
      assert.strictEqual(findings.find(({ name }) => name === "api-server")?.status, reachable)
      assert.strictEqual(findings.find(({ name }) => name === "clock")?.status, clock)
      assert.strictEqual(findings.find(({ name }) => name === "name-resolution")?.status, "ok")
    })))

  it.live("is not there", () =>
    Effect.scoped(Effect.gen(function*() {
      const host = yield* hostWith()
      const server = yield* Effect.scoped(Effect.map(serverWith(200, 0), urlOf))
      const finding = (yield* host.check({ server })).find(({ name }) => name === "api-server")
      assert.strictEqual(finding?.status, "problem")
      assert.match(finding?.found ?? "", /ECONNREFUSED/)
      assert.match(finding?.next ?? "", /check the address/)
      assert.isAbove(yield* Clock.currentTimeMillis, 0)
      const failed = yield* Effect.flip(ApiServerProbe.ask(new URL("https://127.0.0.1:1")))
      assert.match(failed.message, /ECONNREFUSED/)
    })))
})
