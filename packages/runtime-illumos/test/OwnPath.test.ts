import { assert, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as OwnPath from "../src/OwnPath.js"

describe("OwnPath", () => {
  it("takes what is one's own alone, and says what is wrong with the rest", () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "own-path-"))
    try {
      fs.chmodSync(folder, 0o700)
      const link = path.join(folder, "link")
      fs.symlinkSync(folder, link)
      assert.isUndefined(OwnPath.problemOf(folder, "folder"))
      assert.strictEqual(OwnPath.problemOf(folder, "socket"), `${folder} is not used: it is no socket`)
      assert.strictEqual(OwnPath.problemOf(link, "folder"), `${link} is not used: it is no folder`)
      fs.chmodSync(folder, 0o750)
      assert.strictEqual(OwnPath.problemOf(folder, "folder"), `${folder} is not used: others may use it (mode 750)`)
      assert.throws(() => OwnPath.problemOf(path.join(folder, "missing"), "socket"), "ENOENT")
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })
})
