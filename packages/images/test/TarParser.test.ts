import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { create } from "tar"
import { type TarEntry, TarInvalid, TarParser } from "../src/internal/tarParser.js"
import { file, folder, type Member, symlink, tar } from "./support/tarBytes.js"

interface Read {
  readonly entry: TarEntry
  readonly content: string
}

/** Reads an archive in pieces of the given size. */
const read = (bytes: Uint8Array, piece = 512): ReadonlyArray<Read> => {
  const found: Array<Read> = []
  let entry: TarEntry | undefined
  let content: Array<Buffer> = []
  const parser = new TarParser({
    entry: (next) => {
      entry = next
      content = []
    },
    data: (chunk) => void content.push(Buffer.from(chunk)),
    end: () => {
      if (entry !== undefined) found.push({ entry, content: Buffer.concat(content).toString("latin1") })
    }
  })
  for (let at = 0; at < bytes.length; at += piece) parser.push(bytes.subarray(at, at + piece))
  parser.finish()
  return found
}

describe("TarParser", () => {
  it("reads the same whatever the pieces", () => {
    const bytes = tar([
      folder("etc/", { mode: 0o750, uid: 3, gid: 4 }),
      file("etc/motd", "hello\n", { mode: 0o4755, mtime: 1_600_000_000 }),
      file("empty", ""),
      symlink("etc/link", "motd"),
      file("x".repeat(200), "long", { pax: { mtime: "1600000000.25", uid: "3000000", "SCHILY.xattr.user.note": Buffer.from([0, 10, 255, 61, 10]) } }),
      file("after", "plain")
    ])
    const whole = read(bytes, bytes.length)
    for (const piece of [1, 3, 511, 513, 4096]) assert.deepStrictEqual(read(bytes, piece), whole)
    assert.deepStrictEqual(whole.map(({ entry }) => [entry.kind, entry.path.slice(0, 10), entry.mode, entry.uid]), [
      ["directory", "etc/", 0o750, 3],
      ["file", "etc/motd", 0o4755, 0],
      ["file", "empty", 0o644, 0],
      ["symlink", "etc/link", 0o644, 0],
      ["file", "xxxxxxxxxx", 0o644, 3_000_000],
      ["file", "after", 0o644, 0]
    ])
    assert.strictEqual(whole[1]?.content, "hello\n")
    assert.strictEqual(whole[4]?.entry.mtime, 1_600_000_000.25)
    assert.deepStrictEqual([...(whole[4]?.entry.attributes.get("user.note") ?? [])], [0, 10, 255, 61, 10])
    assert.strictEqual(whole[5]?.entry.attributes.size, 0)
  })

  it("reads what another program writes: long names, and names that are not ASCII", () => {
    const names = ["short", `${"deep/".repeat(30)}file`, "Főtanúsítvány.pem"]
    const work = mkdtempSync(join(tmpdir(), "reddwarf-tar-"))
    try {
      for (const name of names) {
        mkdirSync(dirname(join(work, name)), { recursive: true })
        writeFileSync(join(work, name), name)
      }
      create({ cwd: work, sync: true, file: join(work, "out.tar"), portable: true }, names)
      const found = read(readFileSync(join(work, "out.tar")))
      assert.deepStrictEqual(found.map(({ content, entry }) => [entry.path, content].map((text) => Buffer.from(text, "latin1").toString("utf8"))), names.map((name) => [name, name]))
    } finally {
      rmSync(work, { recursive: true })
    }
  })

  it("accepts an archive without an end marker, and nothing that is cut inside", () => {
    const bytes = tar([file("a", "content"), file("b", "more")])
    assert.strictEqual(read(bytes.subarray(0, -1024)).length, 2)
    for (const cut of [100, 513, 1024 + 512, 1024 + 515]) assert.throws(() => read(bytes.subarray(0, cut)), TarInvalid)
  })

  it("refuses what is no archive, or would mean different things to different readers", () => {
    const bad: ReadonlyArray<Uint8Array> = [
      Buffer.alloc(512, 1),
      Buffer.from("just some text that is no archive at all".repeat(20)),
      tar([{ path: "sparse", pax: { "GNU.sparse.major": "1" } }]),
      tar([{ path: "strange", type: "Z" }]),
      tar([file("a", "x", { pax: { size: "-5" } })]),
      tar([file("a", "x", { pax: { uid: "abc" } })]),
      tar([file("a", "x", { pax: { path: "a\0b" } })]),
      tar([file("a", "x", { pax: { path: "p".repeat(5000) } })]),
      tar([{ path: "pax", type: "x", content: "12 nonsense" }, file("a", "x")]),
      tar([{ path: "pax", type: "x", content: "99999999 a=b\n" }, file("a", "x")])
    ]
    for (const bytes of bad) assert.throws(() => read(bytes), TarInvalid)
  })

  it.prop("says no or reads, whatever the bytes", [
    FastCheck.array(FastCheck.record({
      path: FastCheck.string({ maxLength: 40 }),
      type: FastCheck.constantFrom("0", "1", "2", "3", "5", "6", "x", "g", "L", "K", "S", "Z"),
      content: FastCheck.uint8Array({ maxLength: 700 }),
      size: FastCheck.option(FastCheck.nat(5000), { nil: undefined })
    }), { maxLength: 6 }),
    FastCheck.array(FastCheck.tuple(FastCheck.nat(6000), FastCheck.nat(255)), { maxLength: 4 })
  ], ([members, damage]) => {
    const bytes = tar(members.map((entry): Member => ({ path: entry.path, type: entry.type, content: entry.content, ...(entry.size === undefined ? {} : { size: entry.size }) })))
    for (const [at, value] of damage) if (at < bytes.length) bytes[at] = value
    try {
      for (const { entry } of read(bytes, 333)) assert.isFalse(entry.path.includes("\0"))
    } catch (error) {
      assert.instanceOf(error, TarInvalid)
    }
  })
})
