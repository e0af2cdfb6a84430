import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as fs from "node:fs"
import * as HostState from "../src/HostState.js"
import * as lockFile from "../src/internal/lockFile.js"
import * as StateFile from "../src/StateFile.js"
import { directory, host } from "./support.js"

const fresh = (now: number): HostState.HostState =>
  HostState.initial({ hostId: "h", dialect: "omnios", now, cpus: 1, memoryMiB: 1024, brands: [], pools: [{ name: "rpool", size: 2 ** 30 }], links: ["net0"] })

const open = (folder: string) => StateFile.make(folder, fresh)

const cpus = (state: StateFile.StateFile) => state.look((current) => current.cpus)

describe("the state of a host", () => {
  it.scopedLive("is made by the first look", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      assert.strictEqual(yield* cpus(yield* open(folder)), 1)
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["root", "state.json"])
    }))

  it.scopedLive("is never older than what another one saved", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const [a, b] = [yield* open(folder), yield* open(folder)]
      for (let round = 0; round < 50; round++) {
        for (const [one, other] of [[a, b], [b, a]] as const) {
          const set = yield* one.transact((current) => (current.cpus += 1))
          assert.strictEqual(yield* cpus(other), set)
          assert.strictEqual(yield* other.transact((current) => current.cpus), set)
        }
      }
      assert.strictEqual(yield* cpus(a), 101)
    }))

  it.scopedLive("is looked at while somebody else changes it", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* open(folder)
      yield* state.transact((current) => (current.cpus = 7))
      const token = lockFile.tryAcquire(`${folder}/lock`)
      assert.isDefined(token)
      assert.isUndefined(lockFile.tryAcquire(`${folder}/lock`))
      assert.strictEqual(yield* cpus(state), 7)
      lockFile.release(`${folder}/lock`, "another token")
      assert.isUndefined(lockFile.tryAcquire(`${folder}/lock`))
      lockFile.release(`${folder}/lock`, token ?? "")
      assert.isDefined(lockFile.tryAcquire(`${folder}/lock`))
    }))

  it.scopedLive("keeps nothing of a change that was not finished", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* open(folder)
      yield* state.transact((current) => (current.cpus = 3))
      const error = yield* Effect.flip(state.transact((current) => {
        current.cpus = 99
        throw new Error("half-way")
      }))
      assert.include(error.message, "half-way")
      assert.strictEqual(yield* cpus(state), 3)
      assert.strictEqual(yield* state.transact((current) => current.cpus), 3)
    }))

  it.scopedLive("that was edited by hand is read again, and refused when it is none", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* open(folder)
      yield* state.transact((current) => (current.cpus = 3))
      const file = `${folder}/state.json`
      fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace("\"cpus\":3", "\"cpus\":12"))
      assert.strictEqual(yield* cpus(state), 12)
      for (const text of ["{\"schema\":2}", "{"]) {
        fs.writeFileSync(file, text)
        assert.strictEqual((yield* Effect.flip(cpus(state))).reason, "Corrupt")
      }
    }))
})

describe("changes that come together", () => {
  const grouped = (folder: string) => StateFile.make(folder, fresh, { together: true })

  it.scopedLive("are saved together, before anybody hears of them, in the order in which they came", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* grouped(folder)
      const saved = () => JSON.parse(fs.readFileSync(`${folder}/state.json`, "utf8")).cpus
      const inodes = new Set<number>()
      const counts = yield* Effect.forEach(Array.from({ length: 200 }), () =>
        Effect.map(state.transact((current) => (current.cpus += 1)), (count) => {
          assert.isAtLeast(saved(), count)
          inodes.add(fs.statSync(`${folder}/state.json`).ino)
          return count
        }), { concurrency: "unbounded" })
      assert.deepStrictEqual(counts, Array.from({ length: 200 }, (_, index) => index + 2))
      assert.strictEqual(saved(), 201)
      assert.isAtMost(inodes.size, 8)
      assert.notInclude(fs.readdirSync(folder), "lock")
    }))

  it.scopedLive("fail one by one, and the others keep what they did", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const [state, other] = [yield* grouped(folder), yield* open(folder)]
      const outcomes = yield* Effect.forEach([1, 10, 100, 1000], (count) =>
        Effect.either(state.transact((current) => {
          current.cpus += count
          if (count === 10) throw new Error("half-way")
          return current.cpus
        })), { concurrency: "unbounded" })
      assert.deepStrictEqual(outcomes.map((outcome) => outcome._tag === "Right" ? outcome.right : outcome.left.reason), [2, "InputOutput", 102, 1102])
      assert.strictEqual(yield* cpus(other), 1102)
    }))

  it.scopedLive("wait for who has the lock, and are not made when they are given up before", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* grouped(folder)
      yield* state.transact((current) => (current.cpus = 1))
      const token = lockFile.tryAcquire(`${folder}/lock`) ?? ""
      const adding = (count: number) => Effect.fork(state.transact((current) => (current.cpus += count)))
      const [first, second] = [yield* adding(10), yield* adding(100)]
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(first)
      assert.strictEqual(yield* cpus(state), 1)
      lockFile.release(`${folder}/lock`, token)
      assert.strictEqual(yield* Fiber.join(second), 101)
    }))

  it.scopedLive("all fail when they cannot be saved", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* grouped(folder)
      yield* state.transact((current) => (current.cpus = 5))
      const temporary = `${folder}/state.json.${process.pid}.new`
      fs.mkdirSync(temporary)
      const errors = yield* Effect.forEach([1, 2], () => Effect.flip(state.transact((current) => (current.cpus += 1))), { concurrency: 2 })
      assert.deepStrictEqual(errors.map(({ reason }) => reason), ["InputOutput", "InputOutput"])
      fs.rmdirSync(temporary)
      assert.strictEqual(yield* state.transact((current) => (current.cpus += 1)), 6)
    }))
})

/** Places by which something of a value can be reached that can be reached by another place as well. */
const shared = (value: unknown): ReadonlyArray<string> => {
  const places = new Map<object, string>()
  const found: Array<string> = []
  const walk = (inner: unknown, place: string): void => {
    if (typeof inner !== "object" || inner === null) return
    const before = places.get(inner)
    if (before !== undefined) found.push(`${before} and ${place}`)
    places.set(inner, place)
    for (const [name, next] of Object.entries(inner)) walk(next, `${place}.${name}`)
  }
  walk(value, "")
  return found
}

const service = `<?xml version='1.0'?>
<!DOCTYPE service_bundle SYSTEM '/usr/share/lib/xml/dtd/service_bundle.dtd.1'>
<service_bundle type='manifest' name='web'>
  <service name='application/web' type='service' version='1'>
    <create_default_instance enabled='false'/>
    <single_instance/>
    <dependency name='network' grouping='require_all' restart_on='none' type='service'>
      <service_fmri value='svc:/milestone/network:default'/>
    </dependency>
    <exec_method type='method' name='start' exec='/bin/true' timeout_seconds='60'/>
    <exec_method type='method' name='stop' exec=':true' timeout_seconds='60'/>
  </service>
</service_bundle>
`

describe("the state in memory", () => {
  it.scopedLive("is what its file says, after commands of all kinds, and nothing in it is there twice", () =>
    Effect.gen(function*() {
      const { command, folder, realPath, running, script, sh, state } = yield* host()
      fs.mkdirSync(realPath("/var/tmp"), { recursive: true })
      fs.writeFileSync(realPath("/var/tmp/web.xml"), service)
      const steps = [
        sh("zfs create rpool/zones"), sh("zfs snapshot rpool/zones@one"), sh("zfs clone rpool/zones@one rpool/copy"), sh("zfs set quota=1G rpool/copy"),
        command("dladm", "create-etherstub", "s0"), command("dladm", "create-vnic", "-l", "s0", "v0"), command("dladm", "set-linkprop", "-t", "-p", "maxbw=10M", "v0"),
        running("z"), script("z", ["add attr", "set name=owner", "set type=string", "set value=a", "end"]),
        sh("zoneadm -z z halt"), sh("zoneadm -z z move /zones/moved"), sh("zoneadm -z z boot"),
        sh("svccfg import /var/tmp/web.xml"), sh("svccfg -s svc:/application/web:default setprop start/timeout_seconds = count: 30"), sh("svcadm refresh svc:/application/web:default")
      ]
      for (const step of steps) {
        assert.strictEqual(((yield* step) ?? { exitCode: 0 }).exitCode, 0)
        const kept = yield* state
        assert.deepStrictEqual(shared(kept), [])
        assert.deepStrictEqual(kept, JSON.parse(fs.readFileSync(`${folder}/state.json`, "utf8")))
      }
    }))

  it.scopedLive("has configurations that nobody can change in their place", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const state = yield* open(folder)
      const zone: HostState.Zone = {
        name: "z",
        indexState: "configured",
        uuid: "u",
        did: 1,
        configuration: { properties: { zonepath: "/zones/z" }, resources: [] }
      }
      yield* state.transact((current) => void current.zones.push(zone))
      const error = yield* Effect.flip(state.transact(({ zones }) => {
        for (const { configuration } of zones) configuration.properties["zonepath"] = "/elsewhere"
      }))
      assert.strictEqual(error.reason, "InputOutput")
      yield* state.transact(({ zones }) => {
        for (const found of zones) found.configuration = { ...found.configuration, properties: { zonepath: "/elsewhere" } }
      })
      assert.deepStrictEqual(yield* state.look(({ zones }) => zones.map(HostState.zonepath)), ["/elsewhere"])
      assert.deepStrictEqual(yield* (yield* open(folder)).look(({ zones }) => zones.map(HostState.zonepath)), ["/elsewhere"])
    }))
})

describe("commands that only read", () => {
  const lines = [
    "zfs list", "zfs get all rpool", "zfs holds rpool/zones@one", "zpool list", "zpool status", "zpool get all rpool",
    "dladm show-link", "dladm show-vnic", "dladm show-etherstub", "dladm show-phys", "dladm show-linkprop v0",
    "ipadm show-if", "ipadm show-addr", "ipadm show-prop", "zoneadm list", "zoneadm list -cp", "zoneadm -z z list -p"
  ]

  it.scopedLive("leave the host as it was, without writing it anew", () =>
    Effect.gen(function*() {
      const { command, folder, run, running, sh, state } = yield* host()
      for (const line of ["zfs create rpool/zones", "zfs snapshot rpool/zones@one", "zfs hold keep rpool/zones@one"]) yield* sh(line)
      yield* command("dladm", "create-etherstub", "s0")
      yield* command("dladm", "create-vnic", "-l", "s0", "v0")
      yield* running("z")
      const before = yield* state
      const { ino } = fs.statSync(`${folder}/state.json`)
      for (const line of lines) assert.strictEqual((yield* sh(line)).exitCode, 0, line)
      for (const program of ["psrinfo", "prtconf"]) assert.strictEqual((yield* sh(program)).exitCode, 0, program)
      for (const program of ["uname", "zonename", "hostid", "isainfo"]) {
        assert.strictEqual((yield* run({ program: `/usr/bin/${program}`, args: [] })).exitCode, 0, program)
      }
      assert.deepStrictEqual(yield* state, before)
      assert.strictEqual(fs.statSync(`${folder}/state.json`).ino, ino)
    }))
})
