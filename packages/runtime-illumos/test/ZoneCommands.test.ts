import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import * as BrandInstall from "../src/BrandInstall.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as ZoneAdm from "../src/ZoneAdm.js"
import * as ZoneCfg from "../src/ZoneCfg.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"

const zone = ZoneName.make("web")
const other = ZoneName.make("template")

describe("zoneadm subcommands", () => {
  for (const [line, text] of [
    [ZoneAdm.verify(zone), "verify"],
    [ZoneAdm.ready(zone), "ready"],
    [ZoneAdm.boot(zone), "boot"],
    [ZoneAdm.boot(zone, { force: true, singleUser: true, bootArguments: ["-m", "verbose"] }), "boot -f -s -- -m verbose"],
    [ZoneAdm.halt(zone), "halt"],
    [ZoneAdm.shutdown(zone), "shutdown"],
    [ZoneAdm.shutdownAndBoot(zone), "shutdown -r"],
    [ZoneAdm.shutdownAndBoot(zone, ["-v"]), "shutdown -r -- -v"],
    [ZoneAdm.reboot(zone, ["-v"]), "reboot -- -v"],
    [ZoneAdm.clone(zone, other), "clone template"],
    [ZoneAdm.clone(zone, other, { copy: true }), "clone -m copy template"],
    [ZoneAdm.clone(zone, other, { snapshot: "rpool/t@s", brandArguments: ["-x"] }), "clone -s rpool/t@s -x template"],
    [ZoneAdm.uninstall(zone), "uninstall -F"],
    [ZoneAdm.detach(zone, { dryRun: true }), "detach -n"],
    [ZoneAdm.attach(zone, { force: true, brandArguments: ["-u"] }), "attach -F -u"],
    [ZoneAdm.move(zone, "/zones/new"), "move /zones/new"],
    [ZoneAdm.mark(zone, "incomplete"), "mark -F incomplete"]
  ] as const) {
    it(text, () => assert.strictEqual(line.args.join(" "), `-z web ${text}`))
  }

  it("accepted commands may have had nothing to do, and may warn", () => {
    const notices = (stderr: string) => ZoneAdm.noticesOf(CommandRunner.result({ stderr }))
    assert.deepStrictEqual(notices("zone 'web': zone is already booted\n"), { already: true, warnings: [] })
    assert.deepStrictEqual(notices("zone 'web': zone is already halted\n").already, true)
    assert.deepStrictEqual(notices("WARNING: skipping network interface 'v0': object not found\n"), {
      already: false,
      warnings: ["skipping network interface 'v0': object not found"]
    })
  })

  it.effect("passes nothing on that the host's shell would read differently", () =>
    Effect.gen(function*() {
      const zoneadm = ZoneAdm.make(yield* CommandRunner.CommandRunner)
      for (const effect of [
        zoneadm.install(zone, ["-s", "/a b"]),
        zoneadm.clone(zone, other, { snapshot: "rpool/x@y; reboot" }),
        zoneadm.move(zone, "/zones/a b"),
        zoneadm.move(zone, "zones")
      ]) assert.match((yield* Effect.flip(effect)).message, /a shell would interpret|not a plain absolute path/)
    }).pipe(Effect.provide(CommandRunner.layerTest(() => CommandRunner.result()))))
})

describe("installers of the brands", () => {
  const uuid = "7d4f0a51-0000-4000-8000-000000000001"
  for (const [install, words] of [
    [{ _tag: "Nothing" }, []],
    [{ _tag: "Packages" }, []],
    [{ _tag: "Packages", archive: "/a.tar", profile: "/p.xml", publisher: "x=http://y/", extraPackages: ["a", "b/c"] }, ["-a", "/a.tar", "-c", "/p.xml", "-P", "x=http://y/", "-e", "a", "-e", "b/c"]],
    [{ _tag: "Packages", directory: "/d" }, ["-d", "/d"]],
    [{ _tag: "Image", source: "rpool/img@base" }, ["-s", "rpool/img@base"]],
    [{ _tag: "ImageUuid", image: uuid, zone: uuid, quotaGiB: 10 }, ["-q", "10", "-t", uuid, "-U", uuid]],
    [{ _tag: "Layers", archives: ["/base.tar.gz", "/over.tar.gz"] }, ["/base.tar.gz", "/over.tar.gz"]]
  ] as ReadonlyArray<readonly [BrandInstall.BrandInstall, ReadonlyArray<string>]>) {
    it(`take ${words.join(" ") || "nothing"} for ${install._tag}`, () =>
      assert.deepStrictEqual(Either.getOrThrow(BrandInstall.argumentsOf("web", install)), words))
  }

  for (const install of [
    { _tag: "Packages", archive: "/a", directory: "/b" },
    { _tag: "Image", source: "/a b" },
    { _tag: "Image", source: "$(reboot)" },
    { _tag: "Image", source: "--help" },
    { _tag: "ImageUuid", image: "x", zone: uuid },
    { _tag: "Layers", archives: [] },
    { _tag: "Layers", archives: ["relative"] }
  ] as ReadonlyArray<BrandInstall.BrandInstall>) {
    it(`refuse ${JSON.stringify(install)}`, () =>
      assert.strictEqual(Either.getOrThrow(Either.flip(BrandInstall.argumentsOf("web", install)))._tag, "InstallSourceRejected"))
  }
})

describe("ZoneCfg.update", () => {
  const from = { ...ZoneConfig.make("/zones/web", "lx"), bootargs: "-v" }

  /** A host that stores what it is told until a script has the line that it refuses. */
  const host = (refused: string, scripts: Array<string>) => {
    let stored = Either.getOrThrow(ZoneConfig.render("web", from))
    return CommandRunner.layerTest((line, files) => {
      if (line.args.includes("export")) return CommandRunner.result({ stdout: stored })
      const script = files.get(line.args.at(-1) ?? "") ?? ""
      scripts.push(script)
      // The lines before the one that is refused are stored all the same.
      const taken = script.split("\n").slice(0, script.includes(refused) ? script.split("\n").indexOf(refused) : undefined)
      if (taken.includes("clear bootargs")) stored = stored.replace(/set bootargs=.*\n/, "")
      const again = taken.find((text) => text.startsWith("set bootargs="))
      if (again !== undefined) stored = stored.replace("set ip-type", `${again}\nset ip-type`)
      return script.includes(refused) ? CommandRunner.result({ exitCode: 1, stderr: "On line 2 of x:\nno\n" }) : CommandRunner.result()
    })
  }

  it.effect("puts back what a script that failed half way had changed", () => {
    const scripts: Array<string> = []
    return Effect.gen(function*() {
      const zonecfg = ZoneCfg.make(yield* CommandRunner.CommandRunner)
      const { bootargs: _, ...rest } = from
      const error = yield* Effect.flip(zonecfg.update(zone, { ...rest, autoboot: true }))
      assert.strictEqual(error._tag, "ZoneConfigRejected")
      assert.deepStrictEqual(scripts, ["clear bootargs\nset autoboot=true\nverify\ncommit\n", "set bootargs=\"-v\"\nverify\ncommit\n"])
      assert.isTrue(ZoneConfig.isEquivalent(yield* zonecfg.export(zone), from))
    }).pipe(Effect.provide(host("set autoboot=true", scripts)))
  })

  it.effect("runs nothing when there is nothing to change", () => {
    const scripts: Array<string> = []
    return Effect.gen(function*() {
      assert.isFalse(yield* ZoneCfg.make(yield* CommandRunner.CommandRunner).update(zone, from))
      assert.deepStrictEqual(scripts, [])
    }).pipe(Effect.provide(host("nothing", scripts)))
  })

  it("knows the dialect of a host by its help", () => {
    assert.strictEqual(ZoneCfg.dialectOf(CommandRunner.result({ exitCode: 2, stderr: "net: physical, global-nic, mac-addr" })), "omnios")
    assert.strictEqual(ZoneCfg.dialectOf(CommandRunner.result({ stdout: "net: physical" })), "gate")
  })
})
