import { assert, describe, it } from "@effect/vitest"
import { ZoneConfig, ZoneConfigExport, ZoneName, LinkName } from "@reddwarf/runtime-illumos"
import { Effect, Either, FastCheck as fc } from "effect"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { podShape, transcriptOf } from "@reddwarf/runtime-illumos/testing"
import { lex } from "../src/zonecfg/Lexer.js"
import { parse } from "../src/zonecfg/Parser.js"
import { host, type Host } from "./support.js"

const folder = fileURLToPath(new URL("../../runtime-illumos/test/golden", import.meta.url))
const everyBrand = ["sparse", "lipkg", "ipkg", "pkgsrc", "lx", "bhyve", "illumos", "joyent", "joyent-minimal"]

type Step =
  | { readonly kind: "command"; readonly argv: ReadonlyArray<string> }
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly content: string }

/** What a shell makes of a line: words, and quotes that hold everything but themselves. */
const wordsOf = (line: string): ReadonlyArray<string> =>
  (line.match(/(?:[^\s'\\]|\\.|'[^']*')+/gs) ?? []).map((word) =>
    word.replaceAll(/\\(.)|'([^']*)'/gs, (_, escaped: string | undefined, quoted: string | undefined) => escaped ?? quoted ?? ""))

/** Whether every quote of the text is closed. */
const isComplete = (text: string): boolean => /^(?:[^'\\]|\\.|'[^']*')*$/s.test(text)

const read = (transcript: string): { readonly dialect: "gate" | "omnios"; readonly steps: ReadonlyArray<Step> } => {
  const steps: Array<Step> = []
  const lines = transcript.split("\n")
  // A quoted word may hold newlines.
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ""
    if (line.startsWith("$ ")) {
      let text = line.slice(2)
      while (!isComplete(text) && at + 1 < lines.length) text += `\n${lines[++at] ?? ""}`
      steps.push({ kind: "command", argv: wordsOf(text) })
    } else if (line.startsWith("> ")) {
      const [, file = "", mode = ""] = /^> (.*) (\d{4})$/.exec(line) ?? []
      const end = lines.indexOf(">>>", at)
      steps.push({ kind: "file", path: file, mode: Number.parseInt(mode, 8), content: `${lines.slice(at + 2, end).join("\n")}\n` })
      at = end
    }
  }
  return { dialect: transcript.includes("# illumos-gate") ? "gate" : "omnios", steps }
}

/** A host with an image, an archive, volumes, and whatever the script mounts. */
const prepare = (target: Host, steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    yield* target.expectOk("dladm create-etherstub -t rdstub0")
    yield* target.expectOk("zfs create -p rpool/reddwarf/zones")
    yield* target.expectOk("zfs create -p rpool/reddwarf/images/busybox")
    const image = target.realPath("/rpool/reddwarf/images/busybox/root")
    for (const name of ["etc", "bin", "sbin"]) fs.mkdirSync(path.join(image, name), { recursive: true })
    fs.writeFileSync(path.join(image, "bin/sh"), "", { mode: 0o755 })
    const archives = target.realPath("/rpool/reddwarf/archives")
    fs.mkdirSync(archives, { recursive: true })
    assert.strictEqual(spawnSync("tar", ["-cf", path.join(archives, "alpine-3.20.tar"), "-C", image, "."]).status, 0)
    yield* target.expectOk("zfs snapshot rpool/reddwarf/images/busybox@base")
    yield* target.expectOk("zfs create -o mountpoint=none rpool/reddwarf/volumes")
    const script = steps.flatMap((step) => step.kind === "file" && step.path.endsWith(".zonecfg") ? [step.content] : []).join("")
    const config = Either.getOrThrow(ZoneConfigExport.parse("z", script))
    for (const { special, type } of config.fs) {
      if (type !== "lofs") continue
      const real = target.realPath(special)
      fs.mkdirSync(path.dirname(real), { recursive: true })
      if (special.endsWith(".iso")) fs.writeFileSync(real, "")
      else fs.mkdirSync(real)
    }
    for (const name of config.dataset) yield* target.expectOk(`zfs create -o zoned=on ${name}`)
    for (const match of config.device) yield* target.expectOk(`zfs create -V 1M ${match.replace("/dev/zvol/rdsk/", "").replace(/\*$/, "")}`)
  })

const perform = (target: Host, step: Step) =>
  Effect.gen(function*() {
    if (step.kind === "file") {
      const real = target.realPath(step.path)
      fs.mkdirSync(path.dirname(real), { recursive: true })
      if (!fs.existsSync(real)) fs.writeFileSync(real, step.content, { mode: step.mode })
      return
    }
    const [program = "", ...args] = step.argv
    const result = yield* target.run({ program, args })
    const said = `${step.argv.join(" ")}: ${result.stderr}`
    assert.strictEqual(result.exitCode, 0, said)
    if (program.endsWith("/zlogin")) {
      assert.deepStrictEqual(result, { exitCode: 0, stdout: "it's a b\n", stderr: "@@rc-golden=0\n" })
    } else if (args[2] === "halt") {
      assert.match(result.stderr, /^(zone '[^']+': zone is already halted\n)?$/, said)
    } else {
      assert.strictEqual(result.stderr, "", said)
    }
    if (args[2] === "list") assert.include(result.stdout, ":running:")
  })

describe("golden transcripts on a simulated host", () => {
  for (const name of fs.readdirSync(folder).filter((name) => name.endsWith(".txt")).sort()) {
    it.scopedLive(name.replace(/\.txt$/, ""), () =>
      Effect.gen(function*() {
        const { dialect, steps } = read(fs.readFileSync(path.join(folder, name), "utf8"))
        assert.isAbove(steps.length, 6)
        const target = yield* host({ dialect, brands: everyBrand, shutdownGrace: 0, pools: [{ name: "rpool", size: 2 ** 36 }] })
        yield* prepare(target, steps)
        const before = yield* target.state
        for (const step of steps) yield* perform(target, step)
        const after = yield* target.state
        assert.deepStrictEqual(after.zones, [])
        assert.deepStrictEqual(after.links, before.links)
        assert.deepStrictEqual(after.datasets.map((dataset) => dataset.name), before.datasets.map((dataset) => dataset.name))
      }))
  }
})

/** What the tools take as an argument that reaches a shell. */
const plain = /^[A-Za-z0-9_@%+=:,./-]+$/

describe("any pod", () => {
  it.scopedLive("becomes names, scripts and arguments that the host takes", () =>
    Effect.gen(function*() {
      const runtime = yield* Effect.runtime()
      const hosts = { gate: yield* host({ dialect: "gate", brands: everyBrand }), omnios: yield* host({ brands: everyBrand }) }
      const check = (transcript: string, zone: string) =>
        Effect.gen(function*() {
          const { dialect, steps } = read(transcript)
          assert.isTrue(ZoneName.is(zone))
          for (const step of steps) {
            if (step.kind === "file") {
              if (!step.path.endsWith(".zonecfg")) continue
              for (const command of lex(step.content, dialect === "omnios")) assert.property(parse(command, dialect), "name")
              const target = hosts[dialect]
              const quiet = { exitCode: 0, stdout: "", stderr: "" }
              assert.deepStrictEqual(yield* target.script(zone, step.content.trimEnd().split("\n")), quiet)
              const exported = yield* target.command("zonecfg", "-z", zone, "export")
              const stored = Either.getOrThrow(ZoneConfigExport.read(zone, exported.stdout))
              const written = Either.getOrThrow(ZoneConfigExport.read(zone, step.content))
              assert.deepStrictEqual(stored.unknown, [])
              assert.deepStrictEqual(ZoneConfig.normalize(stored.config), ZoneConfig.normalize(written.config))
              assert.deepStrictEqual(yield* target.command("zonecfg", "-z", zone, "delete", "-F"), quiet)
              continue
            }
            const [program = "", ...args] = step.argv
            assert.match(program, /^\/usr\/sbin\/(zonecfg|zoneadm|zlogin|dladm)$/)
            assert.isTrue(args.every((word) => !word.includes("\0")))
            if (program.endsWith("zoneadm")) assert.isTrue(args.every((word) => plain.test(word)), args.join(" "))
            if (program.endsWith("dladm")) assert.isTrue(LinkName.is(args.at(-1) ?? ""), args.join(" "))
          }
        })
      yield* Effect.tryPromise(() =>
        fc.assert(
          fc.asyncProperty(podShape, (shape) => Effect.provide(check(transcriptOf(shape), shape.spec.zoneName), runtime).pipe(Effect.runPromise)),
          process.env["REDDWARF_PROPERTY_RUNS"] === undefined ? { numRuns: 100 } : {}
        )
      )
    }), 600_000)
})
