/** Files with variables: what they may say, and where a pod's are. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ContainerEnvironment, EnvFile, EnvFiles, type ImageProcess, PodSources } from "@reddwarf/node-agent"
import * as Either from "effect/Either"
import { execFileSync } from "node:child_process"
import * as fc from "effect/FastCheck"

const valueOf = (text: string, key = "K") => Either.getOrElse(Either.map(EnvFile.valueOf(text, key), (value) => [value]), (why) => why)
const wrong = (line: number, why: string) => `invalid environment variable format at line ${line}: ${why}`

describe("EnvFile", () => {
  it("has values between single quotes, literally", () => {
    assert.deepStrictEqual(valueOf("K='v'"), ["v"])
    assert.deepStrictEqual(valueOf("# K='no'\n\n  \t\nA='1'\n  K='v # $X \"y\" \\n' # comment\nbroken"), ["v # $X \"y\" \\n"])
    assert.deepStrictEqual(valueOf("K='one\ntwo\n\nthree'\n"), ["one\ntwo\n\nthree"])
    assert.deepStrictEqual(valueOf("A='x\ny'\r\nK='v'\r\n"), ["v"])
    assert.deepStrictEqual(valueOf("K='first'\nK='second'"), ["first"])
    assert.deepStrictEqual(valueOf("K=''"), [""])
    assert.deepStrictEqual(valueOf("K= 'v'\n"), [""])
    assert.deepStrictEqual(valueOf("A= b\nK='v'"), ["v"])
    assert.deepStrictEqual(valueOf("A='K='\n"), [undefined])
    assert.deepStrictEqual(valueOf(""), [undefined])
    assert.deepStrictEqual(valueOf("# only this"), [undefined])
  })

  it("says which line is wrong", () => {
    assert.strictEqual(valueOf("# c\nA='1'\nK=v"), wrong(3, "value must be enclosed in single quotes"))
    assert.strictEqual(valueOf("K=\"v\""), wrong(1, "value must be enclosed in single quotes"))
    assert.strictEqual(valueOf("K='a''b'"), wrong(1, "unexpected content after closing quote"))
    assert.strictEqual(valueOf("A='a\nb' c\n"), wrong(2, "unexpected content after closing quote"))
    assert.strictEqual(valueOf("A='a\nK='v'"), wrong(2, "unexpected content after closing quote"))
    assert.strictEqual(valueOf("A='1'\n\nK='v\n"), wrong(3, "unclosed single quote"))
    assert.strictEqual(valueOf("export\n"), wrong(1, "missing '='"))
    assert.strictEqual(valueOf("='v'"), wrong(1, "empty variable name"))
    assert.strictEqual(valueOf("K ='v'"), wrong(1, "whitespace before '=' is not allowed"))
  })

  const value = fc.stringMatching(/^[ -&(-~\n\t]{0,20}$/)
  it.prop("reads what a shell reads", [fc.array(fc.tuple(fc.constantFrom("A", "B", "K"), value), { minLength: 1, maxLength: 4 })], ([entries]) => {
    const known = new Set<string>()
    // Of two declarations a shell takes the last one.
    const lines = entries.filter(([name]) => !known.has(name) && known.add(name)).map(([name, text]) => `${name}='${text}'`)
    const text = `# file\n${lines.join("  # c\n\n")}\n`
    const shell = execFileSync("sh", ["-c", `${text}printf '%s' "$K"`], { env: {} }).toString()
    return Either.getOrThrow(EnvFile.valueOf(text, "K")) === (known.has("K") ? shell : undefined)
  }, { fastCheck: { numRuns: 25 } })
})

const pod = (containers: ReadonlyArray<CoreV1.Container>, volumes: ReadonlyArray<CoreV1.Volume>): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: { containers, volumes }
})

describe("EnvFiles", () => {
  const volumes: ReadonlyArray<CoreV1.Volume> = [{ name: "v", emptyDir: {} }, { name: "cm", configMap: { name: "c" } }]
  const find = (mounts: ReadonlyArray<CoreV1.VolumeMount>, path: string, volumeName = "v") =>
    Either.merge(Either.map(EnvFiles.find({ pod: pod([{ name: "c", volumeMounts: mounts }], volumes) }, { volumeName, path, key: "K" }), ({ directory, path }) => `${directory} ${path}`))

  it("are where a container has the volume", () => {
    assert.strictEqual(find([{ name: "v", mountPath: "/data/" }], "a/./b.env"), "/data a/b.env")
    assert.strictEqual(find([{ name: "v", mountPath: "/d", subPath: "x" }, { name: "v", mountPath: "/e", subPath: "a/" }], "a/b.env"), "/e b.env")
    assert.include(find([{ name: "v", mountPath: "/d", subPath: "ab" }], "a/b.env"), "no container of the pod mounts volume \"v\" where file \"a/b.env\" would be")
    assert.include(find([], "a"), "none can write it")
    assert.include(find([], "a", "cm"), "is no emptyDir")
    assert.include(find([], "a", "nope"), "cannot find the volume \"nope\"")
  })

  it("make everything behind them late, and nothing before", () => {
    const container: CoreV1.Container = {
      name: "c",
      command: ["run", "$(A)", "$(F)", "$$(F)"],
      env: [
        { name: "A", value: "1" },
        { name: "F", valueFrom: { fileKeyRef: { volumeName: "v", path: "e", key: "K", optional: true } } },
        { name: "B", value: "$(A)$(F)" },
        { name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }
      ],
      volumeMounts: [{ name: "v", mountPath: "/v" }]
    }
    const inputs = { pod: pod([container], volumes), facts: { podIP: "", hostIP: "", allocatable: { cpuMillis: 0, memoryBytes: 0, ephemeralStorageBytes: 0 } }, sources: PodSources.empty }
    const process = Either.getOrThrow(ContainerEnvironment.process(inputs, container))
    assert.deepStrictEqual(process.env.map(({ name }) => name), ["HOSTNAME", "A"])
    assert.deepStrictEqual(process.late, {
      variables: [
        { type: "file", name: "F", from: { volume: "v", directory: "/v", path: "e", key: "K", optional: true } },
        { type: "text", name: "B", text: "$(A)$(F)" },
        { type: "value", name: "N", value: "p" }
      ],
      argv: ["run", "$(A)", "$(F)", "$$(F)"]
    })
    const image: ImageProcess.ContainerImage = {
      imageID: "i",
      passwd: "",
      group: "",
      process: { user: "", entrypoint: ["sh", "$(A)"], cmd: ["$$"], env: [], workingDir: "", stopSignal: "", exposedPorts: {}, volumes: {}, labels: {} }
    }
    const ofImage = Either.getOrThrow(ContainerEnvironment.process({ ...inputs, images: new Map([["c", image]]) }, { ...container, command: [] }))
    assert.deepStrictEqual(ofImage.late?.argv, ["sh", "$$(A)", "$$$$"])
    assert.deepStrictEqual(ofImage.argv, ["sh", "$(A)", "$$"])
  })
})
