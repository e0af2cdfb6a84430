import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { ImageConfig } from "@reddwarf/images"
import { ContainerEnvironment, type ImageProcess, PodSources } from "@reddwarf/node-agent"
import { Either } from "effect"

const { process: standard } = ImageConfig.make({ os: "linux", architecture: "amd64" }, [], {
  entrypoint: ["/entry", "fixed"],
  cmd: ["default", "$(NAME)"],
  env: ["PATH=/image/bin", "NAME=image", "ODD", "=x"],
  workingDir: "/srv",
  user: "web:staff"
})

const image: ImageProcess.ContainerImage = {
  imageID: "registry.example/app@sha256:1",
  process: standard,
  passwd: "root:x:0:0::/root:/bin/sh\nweb:x:1001:1002::/srv:/bin/sh\nbroken\n",
  group: "root:x:0:\nstaff:x:50:\n"
}

const processOf = (container: Partial<CoreV1.Container>, spec: Partial<CoreV1.PodSpec> = {}, from = image) => {
  const whole: CoreV1.Container = { name: "app", image: "app", ...container }
  return ContainerEnvironment.process({
    pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "n" }, spec: { containers: [whole], ...spec } },
    facts: { podIP: "10.0.0.2", hostIP: "10.0.0.1", allocatable: { cpuMillis: 1000, memoryBytes: 1, ephemeralStorageBytes: 1 } },
    sources: PodSources.empty,
    images: new Map([["app", from]])
  }, whole)
}

const right = (container: Partial<CoreV1.Container>, spec?: Partial<CoreV1.PodSpec>) => Either.getOrThrow(processOf(container, spec))
const user = (container: Partial<CoreV1.Container>, spec?: Partial<CoreV1.PodSpec>, from = image) =>
  Either.match(processOf(container, spec, from), { onLeft: ({ message }) => message, onRight: ({ user }) => user })
const as = (text: string): ImageProcess.ContainerImage => ({ ...image, process: { ...standard, user: text } })

describe("the process of a container with an image", () => {
  it.each([
    [{}, ["/entry", "fixed", "default", "$(NAME)"]],
    [{ args: ["own", "$(NAME)"] }, ["/entry", "fixed", "own", "image"]],
    [{ command: ["other"] }, ["other"]],
    [{ command: ["other"], args: ["word"] }, ["other", "word"]]
  ])("%j runs %j", (container, argv) => {
    assert.deepStrictEqual([...right(container).argv], argv)
  })

  it("has the image's variables beneath its own, and starts where the image says unless told otherwise", () => {
    const spec = right({ env: [{ name: "NAME", value: "pod of $(PATH)" }] })
    const env = new Map(spec.env.map(({ name, value }) => [name, value]))
    assert.deepStrictEqual([...env], [["PATH", "/image/bin"], ["NAME", "pod of /image/bin"], ["HOSTNAME", "p"]])
    assert.strictEqual(spec.workingDirectory, "/srv")
    assert.strictEqual(right({ workingDir: "/tmp" }).workingDirectory, "/tmp")
    assert.strictEqual(spec.imageID, "registry.example/app@sha256:1")
  })

  it("runs as whom pod and image say", () => {
    assert.deepStrictEqual(user({}), { uid: 1001, gid: 50 })
    assert.deepStrictEqual(user({}, {}, as("web")), { uid: 1001, gid: 1002, name: "web" })
    assert.deepStrictEqual(user({}, {}, as("1001")), { uid: 1001, gid: 1002, name: "web" })
    assert.deepStrictEqual(user({}, {}, as("7:8")), { uid: 7, gid: 8 })
    assert.strictEqual(user({}, {}, as("")), undefined)
    assert.deepStrictEqual(user({ securityContext: { runAsUser: 1001 } }, { securityContext: { runAsUser: 5 } }), { uid: 1001, gid: 1002, name: "web" })
    assert.deepStrictEqual(user({}, { securityContext: { runAsUser: 5, runAsGroup: 6 } }), { uid: 5, gid: 6 })
    assert.strictEqual(user({ securityContext: { runAsUser: 0 } }), undefined)
  })

  it("is refused when the image does not know the user, or it would be root against the pod's will", () => {
    const nonRoot = { securityContext: { runAsNonRoot: true } }
    assert.include(user({}, {}, as("ghost")), "unable to find user ghost")
    assert.include(user({}, {}, as("web:ghosts")), "unable to find group ghosts")
    assert.include(user(nonRoot, {}, as("")), "image will run as root")
    assert.include(user(nonRoot, {}, as("web")), "non-numeric user (web)")
    assert.include(user({ securityContext: { runAsNonRoot: true, runAsUser: 0 } }), "breaks non-root policy")
    assert.deepStrictEqual(user(nonRoot, {}, as("1001:50")), { uid: 1001, gid: 50 })
  })

  it("has the groups of the image's account and of the pod", () => {
    const member = { ...image, group: "root:x:0:\nstaff:x:50:web\nmore:x:60:other,web\n", process: { ...standard, user: "web" } }
    assert.deepStrictEqual(user({}, {}, member), { uid: 1001, gid: 1002, name: "web", groups: [50, 60] })
    const shared = { fsGroup: 7, supplementalGroups: [8, 50, 1002] }
    assert.deepStrictEqual(user({}, { securityContext: shared }, member), { uid: 1001, gid: 1002, groups: [50, 60, 7, 8] })
    assert.deepStrictEqual(user({}, { securityContext: { ...shared, supplementalGroupsPolicy: "Strict" } }, member), { uid: 1001, gid: 1002, groups: [7, 8, 50] })
    assert.deepStrictEqual(user({ securityContext: { runAsUser: 5 } }, { securityContext: { fsGroup: 7 } }, member), { uid: 5, gid: 0, groups: [7] })
    // The zone's root as it is, unless the pod asks for more.
    assert.strictEqual(user({ securityContext: { runAsUser: 0 } }, {}, member), undefined)
    assert.deepStrictEqual(user({ securityContext: { runAsUser: 0 } }, { securityContext: { fsGroup: 7 } }, member), { uid: 0, gid: 0, groups: [7] })
  })

  it("follows the pod without images too", () => {
    const spec = ContainerEnvironment.process({
      pod: { apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "n" }, spec: { containers: [], securityContext: { runAsUser: 5, fsGroup: 7 } } },
      facts: { podIP: "10.0.0.2", hostIP: "10.0.0.1", allocatable: { cpuMillis: 1000, memoryBytes: 1, ephemeralStorageBytes: 1 } },
      sources: PodSources.empty
    }, { name: "app", command: ["true"] })
    assert.deepStrictEqual(Either.getOrThrow(spec).user, { uid: 5, gid: 0, groups: [7] })
  })

  it("needs a command from somewhere", () => {
    const bare = { ...image, process: { ...standard, entrypoint: [], cmd: [] } }
    assert.include(Either.getOrThrow(Either.flip(processOf({}, {}, bare))).message, "no command specified")
  })
})
