import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { LayerWriter } from "../src/internal/layerWriter.js"
import { PathRefused } from "../src/internal/safeTree.js"
import { TarParser } from "../src/internal/tarParser.js"
import { file, folder, hardlink, type Member, symlink, tar } from "./support/tarBytes.js"

const work = mkdtempSync(join(tmpdir(), "reddwarf-layers-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))
const asRoot = process.getuid?.() === 0
let serial = 0

/** A root inside a folder with something beside it that must never change. */
const place = () => {
  const outside = join(work, String(serial++))
  const root = join(outside, "root")
  mkdirSync(root, { recursive: true })
  writeFileSync(join(outside, "secret"), "untouched")
  mkdirSync(join(outside, "folder"), { mode: 0o700 })
  writeFileSync(join(outside, "folder", "inner"), "untouched")
  return { outside, root }
}

const apply = (root: string, members: ReadonlyArray<Member>, limits = { entries: 1000, bytes: 1_000_000 }) => {
  const writer = new LayerWriter(root, limits, asRoot)
  const parser = new TarParser(writer)
  try {
    parser.push(tar(members))
    parser.finish()
    return { attributes: writer.finish(), skipped: writer.skipped }
  } finally {
    writer.close()
  }
}

/** Everything below a folder: path and what it is. */
const tree = (root: string, at = ""): ReadonlyArray<string> =>
  readdirSync(join(root, at)).sort().flatMap((name) => {
    const path = at === "" ? name : `${at}/${name}`
    const found = lstatSync(join(root, path))
    if (found.isDirectory()) return [`${path}/`, ...tree(root, path)]
    return [found.isSymbolicLink() ? `${path} -> ${readlinkSync(join(root, path))}` : `${path}=${readFileSync(join(root, path), "utf8")}`]
  })

const untouched = (outside: string): void => {
  assert.strictEqual(readFileSync(join(outside, "secret"), "utf8"), "untouched")
  assert.strictEqual(readFileSync(join(outside, "folder", "inner"), "utf8"), "untouched")
  assert.strictEqual(statSync(join(outside, "folder")).mode & 0o7777, 0o700)
  assert.deepStrictEqual(readdirSync(outside).sort(), ["folder", "root", "secret"])
  assert.deepStrictEqual(readdirSync(join(outside, "folder")), ["inner"])
}

describe("LayerWriter", () => {
  it("keeps modes, times, links and, as root, owners", () => {
    const { root } = place()
    apply(root, [
      folder("bin", { mode: 0o555, mtime: 1_500_000_000 }),
      file("bin/su", "su", { mode: 0o4755, uid: 7, gid: 8, mtime: 1_600_000_000 }),
      hardlink("bin/sudo", "bin/su"),
      symlink("bin/sh", "/bin/su", { uid: 9, mtime: 1_400_000_000 }),
      hardlink("bin/ash", "bin/sh"),
      file("made/on/the/way", "x")
    ])
    const su = lstatSync(join(root, "bin/su"))
    assert.strictEqual(su.mode & 0o7777, 0o4755)
    assert.strictEqual(su.mtimeMs, 1_600_000_000_000)
    assert.strictEqual(su.nlink, 2)
    assert.strictEqual(lstatSync(join(root, "bin/sudo")).ino, su.ino)
    assert.strictEqual(readlinkSync(join(root, "bin/ash")), "/bin/su")
    assert.strictEqual(lstatSync(join(root, "bin/sh")).mtimeMs, 1_400_000_000_000)
    assert.strictEqual(lstatSync(join(root, "bin")).mode & 0o7777, 0o555)
    assert.strictEqual(lstatSync(join(root, "bin")).mtimeMs, 1_500_000_000_000)
    if (asRoot) assert.deepStrictEqual([su.uid, su.gid, lstatSync(join(root, "bin/sh")).uid], [7, 8, 9])
  })

  it("hides what the layers below have, and never what the layer itself brings", () => {
    const { root } = place()
    apply(root, [folder("a"), file("a/old", "1"), folder("a/sub"), file("a/sub/deep", "1"), file("gone", "1"), folder("b"), file("b/old", "1"), file("b/kept", "1")])
    apply(root, [
      folder("a"),
      file("a/new", "2"),
      file("a/sub/new", "2"),
      // After what it must not hide.
      file("a/.wh..wh..opq", ""),
      file(".wh.gone", ""),
      file(".wh.never-there", ""),
      file("no/such/folder/.wh.x", ""),
      file("b/old", "2"),
      file("b/.wh.old", ""),
      file(".wh..wh.plnk", "")
    ])
    assert.deepStrictEqual(tree(root), ["a/", "a/new=2", "a/sub/", "a/sub/new=2", "b/", "b/kept=1", "b/old=2"])
  })

  it("replaces a folder by a file, a file by a folder, and what a link leads to by nothing", () => {
    const { outside, root } = place()
    apply(root, [folder("dir"), file("dir/x", "1"), file("plain", "1"), symlink("link", "plain"), symlink("away", join(outside, "secret"))])
    apply(root, [file("dir", "2"), folder("plain"), file("plain/y", "2"), file("link", "2"), file("away", "2")])
    assert.deepStrictEqual(tree(root), ["away=2", "dir=2", "link=2", "plain/", "plain/y=2"])
    untouched(outside)
  })

  it("follows links of lower layers as the programs in the root would", () => {
    const { outside, root } = place()
    apply(root, [folder("usr"), folder("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/usr/lib"), symlink("up", "../../../../usr/lib"), symlink("out", "/folder")])
    apply(root, [file("lib/a", "2"), file("abs/b", "2"), file("up/c", "2"), file("out/inner", "2")])
    assert.deepStrictEqual(tree(join(root, "usr/lib")), ["a=2", "b=2", "c=2"])
    assert.deepStrictEqual(tree(join(root, "folder")), ["inner=2"])
    untouched(outside)
  })

  it("refuses names that lead out, links without targets, loops and owners that do not exist", () => {
    const { outside, root } = place()
    const bad: ReadonlyArray<ReadonlyArray<Member>> = [
      [file("../secret", "x")],
      [file("a/../../secret", "x")],
      [folder("..")],
      [hardlink("mine", "../secret")],
      [hardlink("mine", "/secret")],
      [hardlink("mine", "not/there")],
      [folder("d"), hardlink("mine", "d")],
      [symlink("l", "l"), file("l/x", "x")],
      [symlink("a", "b"), symlink("b", "a"), file("a/x", "x")],
      [file("plain", "x"), file("plain/below", "x")],
      [file(".wh...", "")],
      [file(".wh.", "")],
      [symlink("s", "")],
      [file("x", "x", { pax: { uid: "4294967295" } })],
      [file("d/x", "x"), hardlink("d", "d/x")]
    ]
    for (const members of bad) {
      assert.throws(() => apply(root, members), PathRefused)
      untouched(outside)
    }
  })

  it("does not touch what is outside when a folder becomes a link in the middle of the layer", () => {
    const { outside, root } = place()
    const trick = [folder("a", { mode: 0o777 }), folder("a/folder", { mode: 0o777 }), file("a/folder/inner", "x", { pax: { "SCHILY.xattr.user.x": "1" } }), symlink("a", outside)]
    const { attributes } = apply(root, trick)
    assert.deepStrictEqual(attributes, [])
    untouched(outside)
    apply(root, [file("a/folder/inner", "inside")])
    assert.strictEqual(readFileSync(join(root, outside, "folder/inner"), "utf8"), "inside")
    untouched(outside)
  })

  it("leaves devices out and says how many", () => {
    const { root } = place()
    const { skipped } = apply(root, [{ path: "null", type: "3" }, { path: "sda", type: "4" }, { path: "pipe", type: "6" }, file("x", "x")])
    assert.strictEqual(skipped, 3)
    assert.deepStrictEqual(tree(root), ["x=x"])
  })

  it("keeps names that are no text, byte by byte", () => {
    const { root } = place()
    apply(root, [file("x", "x", { pax: { path: Buffer.from([0xff, 0xfe, 0x41]) } })])
    assert.deepStrictEqual([...readdirSync(Buffer.from(root), { encoding: "buffer" })].map((name) => [...name]), [[0xff, 0xfe, 0x41]])
  })

  it("stops at its limits", () => {
    const { root } = place()
    assert.throws(() => apply(root, [file("a", "1"), file("b", "1"), file("c", "1")], { entries: 2, bytes: 100 }), PathRefused)
    assert.throws(() => apply(root, [file("a", "1".repeat(60)), file("b", "1".repeat(60))], { entries: 10, bytes: 100 }), PathRefused)
  })

  const part = FastCheck.constantFrom("a", "b", "c", "..", ".", "", "folder", "inner", "secret", ".wh.a", ".wh..wh..opq", ".wh.folder")
  const path = FastCheck.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"))
  it.prop("never leaves its root, whatever the archives", [
    FastCheck.array(
      FastCheck.array(
        FastCheck.record({
          path,
          type: FastCheck.constantFrom("0", "1", "2", "2", "5"),
          target: FastCheck.oneof(path, path.map((text) => `/${text}`), path.map((text) => `../../${text}`), FastCheck.constant("OUTSIDE/folder"), FastCheck.constant("OUTSIDE")),
          mode: FastCheck.constantFrom(0o777, 0o4755)
        }),
        { minLength: 1, maxLength: 12 }
      ),
      { minLength: 1, maxLength: 3 }
    )
  ], ([layers]) => {
    const { outside, root } = place()
    for (const members of layers) {
      try {
        apply(root, members.map((entry) => ({ ...entry, target: entry.target.replace("OUTSIDE", outside), content: entry.type === "0" ? "written" : "" })))
      } catch (error) {
        if (!(error instanceof PathRefused) && !(error instanceof Error && "code" in error)) throw error
      }
      untouched(outside)
    }
    rmSync(outside, { recursive: true, force: true })
  })

  /** What the files are after layers, by the rules alone: what hides comes first and hides what lies below, then everything else in its order. */
  const model = (layers: ReadonlyArray<ReadonlyArray<Member>>): ReadonlyArray<string> => {
    const files = new Map<string, string | undefined>()
    const drop = (path: string, self: boolean) => {
      for (const other of files.keys()) if ((self && other === path) || other.startsWith(path === "" ? "" : `${path}/`)) files.delete(other)
    }
    for (const members of layers) {
      for (const { path } of members) {
        const [, folder = "", name = ""] = /^(?:(.*)\/)?\.wh\.(.+)$/.exec(path) ?? []
        if (name === ".wh..opq") drop(folder, false)
        else if (name !== "") drop(folder === "" ? name : `${folder}/${name}`, true)
      }
      for (const { content, path, type } of members) {
        if (path.includes(".wh.")) continue
        const parts = path.split("/")
        for (let depth = 1; depth < parts.length; depth++) files.set(parts.slice(0, depth).join("/"), undefined)
        if (type !== "5" || files.get(path) !== undefined) drop(path, true)
        files.set(path, type === "5" ? undefined : String(content))
      }
    }
    return [...files].map(([path, content]) => content === undefined ? `${path}/` : `${path}=${content}`).sort()
  }

  const names = FastCheck.array(FastCheck.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 })
  const member = FastCheck.tuple(names, FastCheck.constantFrom("file", "file", "folder", "whiteout", "opaque"), FastCheck.constantFrom("1", "2")).map(([parts, kind, content]): Member => {
    const path = parts.join("/")
    const folder = parts.slice(0, -1).map((part) => `${part}/`).join("")
    return kind === "file"
      ? file(path, content)
      : kind === "folder"
      ? { path, type: "5" }
      : file(kind === "opaque" ? `${path}/.wh..wh..opq` : `${folder}.wh.${parts.at(-1)}`, "")
  })
  it.prop("makes what the rules of layers say", [FastCheck.array(FastCheck.array(member, { maxLength: 8 }), { minLength: 1, maxLength: 4 })], ([layers]) => {
    const { outside, root } = place()
    try {
      for (const members of layers) apply(root, members)
    } catch (error) {
      // A file where another entry needs a folder: such an archive means nothing.
      assert.instanceOf(error, PathRefused)
      return
    }
    assert.deepStrictEqual([...tree(root)].sort(), model(layers))
    rmSync(outside, { recursive: true, force: true })
  })
})
