import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Agent, startAgent } from "../src/Agent.js"
import { processesWith } from "../src/leaks.js"
import { type Kubectl, kubectl, peer } from "../src/Peers.js"
import { account, busyboxLayer, pushImage, type Registry, startRegistry } from "../src/Registry.js"
import { type Server, startServer } from "../src/Server.js"
import { waitFor } from "../src/waitFor.js"

const port = 17473
const programs = { kubectl: peer("kubectl-1.36"), registry: peer("docker-registry"), busybox: peer("busybox") }
// Roots of images are entered as container runtimes enter them, which only root may.
const missing = Object.values(programs).includes(undefined) || process.getuid?.() !== 0

const podOf = (name: string, container: string, spec = ""): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name} }
spec:
  terminationGracePeriodSeconds: 1
${spec}
  containers:
    - name: main
${container.split("\n").map((line) => `      ${line}`).join("\n")}
`

const script = "echo \"$@\"; id -u; id -g; pwd; echo $GREETING $PATH; cat greeting; ls /srv; while :; do sleep 1; done"

describe.skipIf(missing)("agent --images registry (skipped unless run as root with REDDWARF_PEERS)", () => {
  let server: Server
  let agent: Agent
  let open: Registry
  let secured: Registry
  let k: Kubectl

  const applied = async (yaml: string): Promise<void> => {
    const finished = await k.input(yaml, "apply", "-f", "-")
    expect(finished.stderr).toBe("")
    expect(finished.code).toBe(0)
  }
  const status = async (name: string, path: string): Promise<string> => (await k.run("get", "pod", name, "-o", `jsonpath={${path}}`)).stdout
  const until = (name: string, path: string, wanted: string) =>
    waitFor(`${path} of pod ${name} to be ${wanted}`, async () => (await status(name, path)) === wanted ? true : undefined, { seconds: 30, everyMillis: 100, seen: agent.log })
  const logs = (name: string, wanted: string) =>
    waitFor(`the log of ${name} to be ${wanted}`, async () => (await k.run("logs", name)).stdout === wanted ? true : undefined, { seconds: 30, everyMillis: 100, seen: agent.log })
  /** Events come on their own, after what they tell of. */
  const described = async (name: string, wanted: RegExp): Promise<void> => {
    let last = ""
    await waitFor(`${String(wanted)} in the description of ${name}`, async () => {
      last = (await k.run("describe", "pod", name)).stdout
      return last.split("\n").some((line) => wanted.test(line)) ? true : undefined
    }, { seconds: 30, everyMillis: 100, seen: () => last.slice(-2000) })
  }
  const waiting = ".status.containerStatuses[0].state.waiting.reason"

  beforeAll(async () => {
    const layer = busyboxLayer(programs.busybox ?? "", { "srv/app/greeting": "from the image\n" })
    ;[server, open, secured] = await Promise.all([
      startServer(port),
      startRegistry(programs.registry ?? ""),
      startRegistry(programs.registry ?? "", { private: true })
    ])
    const settings = { entrypoint: ["/bin/sh", "-c", script, "entry"], cmd: ["image", "arguments"], env: ["GREETING=hello", "PATH=/bin"], workingDir: "/srv/app", user: "web" }
    await Promise.all([pushImage(`${open.host}/team/app:1`, layer, settings), pushImage(`${secured.host}/team/secret:1`, layer, { ...settings, cmd: ["private"] })])
    agent = await startAgent(server, "node-0", { port, podCidr: "127.89.0.0/24", args: ["--images", "registry"] })
    k = kubectl(programs.kubectl ?? "", { kubeconfig: server.kubeconfig, directory: server.directory })
  })
  afterAll(async () => {
    await agent.stop()
    await agent.powerOff()
    const left = processesWith(server.directory).filter((line) => !line.includes("reddwarf-server.js"))
    await Promise.all([server.stop(), open.stop(), secured.stop()])
    expect(left).toEqual([])
  })

  it("runs the image's entrypoint with its arguments, variables, user, directory and files", async () => {
    const image = `${open.host}/team/app:1`
    await applied(podOf("app", `image: ${image}`))
    await logs("app", "image arguments\n1234\n1235\n/srv/app\nhello /bin\nfrom the image\napp\n")
    await until("app", ".status.phase", "Running")
    expect(await status("app", ".status.containerStatuses[0].imageID")).toMatch(new RegExp(`^${open.host}/team/app@sha256:[0-9a-f]{64}$`))
    await described("app", new RegExp(`Normal +Pulling .* +kubelet +.*Pulling image "${image}"`))
    await described("app", new RegExp(`Normal +Pulled .* +kubelet +.*Successfully pulled image "${image}" in \\S+ \\(\\S+ including waiting\\)\\. Image size: \\d+ bytes\\.`))
    expect((await k.run("exec", "app", "--", "sh", "-c", "id -u; pwd; echo $GREETING")).stdout).toBe("1234\n/srv/app\nhello\n")
  })

  it("takes what is here, and lets the pod say what is run", async () => {
    const image = `${open.host}/team/app:1`
    const asked = open.log().split("/v2/team/app/manifests/").length
    await applied(podOf("own", `image: ${image}\nargs: ["own"]\nworkingDir: /\nenv: [{ name: GREETING, value: pod }]\nsecurityContext: { runAsUser: 0 }\nimagePullPolicy: IfNotPresent`))
    await waitFor("its log", async () => (await k.run("logs", "own")).stdout.startsWith("own\n0\n0\n/\npod /bin\n") ? true : undefined, { seconds: 30, everyMillis: 100, seen: agent.log })
    await described("own", new RegExp(`Normal +Pulled .* Container image "${image}" already present on machine`))
    expect(open.log().split("/v2/team/app/manifests/").length).toBe(asked)
    await applied(podOf("again", `image: ${image}\nimagePullPolicy: Always`))
    await until("again", ".status.phase", "Running")
    expect(open.log().split("/v2/team/app/manifests/").length).toBeGreaterThan(asked)
  })

  it("tells why an image is not to be had, at first and between two attempts", async () => {
    const image = `${open.host}/team/nothing:9`
    await applied(podOf("absent", `image: ${image}`))
    await applied(podOf("never", `image: ${image}\nimagePullPolicy: Never`))
    await applied(podOf("odd", "image: Not An Image"))
    await until("absent", waiting, "ImagePullBackOff")
    await until("never", waiting, "ErrImageNeverPull")
    await until("odd", waiting, "InvalidImageName")
    expect(await status("absent", ".status.containerStatuses[0].state.waiting.message")).toContain(`Back-off pulling image "${image}": ErrImagePull: ${image}: manifest not found in ${open.host}`)
    await described("absent", new RegExp(`Warning +Failed .* Failed to pull image "${image}": ${image}: manifest not found`))
    await described("absent", /Warning +Failed .* Error: ErrImagePull/)
    await described("absent", new RegExp(`Normal +BackOff .* Back-off pulling image "${image}"`))
    await described("absent", /Warning +Failed .* Error: ImagePullBackOff/)
  })

  it("pulls private images with the pod's secret, and says so when there is none", async () => {
    const image = `${secured.host}/team/secret:1`
    await applied(podOf("stranger", `image: ${image}`))
    await until("stranger", waiting, "ImagePullBackOff")
    expect(await status("stranger", ".status.containerStatuses[0].state.waiting.message")).toContain("no pull secret matches this image")
    await k.ok("create", "secret", "docker-registry", "robot", `--docker-server=${secured.host}`, `--docker-username=${account.username}`, `--docker-password=${account.password}`)
    await applied(podOf("friend", `image: ${image}`, "  imagePullSecrets: [{ name: robot }]"))
    await until("friend", ".status.phase", "Running")
    await logs("friend", "private\n1234\n1235\n/srv/app\nhello /bin\nfrom the image\napp\n")
  })

  it("gives each container the root of its own image", async () => {
    const image = (name: string) => `${open.host}/team/${name}:1`
    const layers = ["left", "right", "first"].map((name) => pushImage(image(name), busyboxLayer(programs.busybox ?? "", { which: `${name}\n` }), {
      entrypoint: ["/bin/sh", "-c"],
      cmd: ["cat /which; while :; do sleep 1; done"],
      env: ["PATH=/bin"],
      workingDir: "/srv/app",
      user: "web"
    }))
    await Promise.all(layers)
    await applied(`
apiVersion: v1
kind: Pod
metadata: { name: many }
spec:
  terminationGracePeriodSeconds: 1
  volumes: [{ name: shared, emptyDir: {} }]
  initContainers:
    - { name: first, image: "${image("first")}", args: ["cat /which > /shared/first"], volumeMounts: [{ name: shared, mountPath: /shared }] }
  containers:
    - { name: left, image: "${image("left")}" }
    - { name: right, image: "${image("right")}", volumeMounts: [{ name: shared, mountPath: /other }] }
`)
    await until("many", ".status.phase", "Running")
    for (const name of ["left", "right"]) {
      await waitFor(`the log of ${name}`, async () => (await k.run("logs", "many", "-c", name)).stdout === `${name}\n` ? true : undefined, { seconds: 30, everyMillis: 100, seen: agent.log })
      expect((await k.run("exec", "many", "-c", name, "--", "sh", "-c", "cat /which; id -u; pwd")).stdout).toBe(`${name}\n1234\n/srv/app\n`)
    }
    expect((await k.run("exec", "many", "-c", "right", "--", "cat", "/other/first")).stdout).toBe("first\n")
    expect(await status("many", ".status.containerStatuses[*].imageID")).toMatch(/\/team\/left@sha256:\S+ \S+\/team\/right@sha256:/)
    writeFileSync(join(server.directory, "sent"), "from outside\n")
    await k.ok("cp", join(server.directory, "sent"), "many:/tmp/sent", "-c", "right")
    expect((await k.run("exec", "many", "-c", "right", "--", "cat", "/tmp/sent")).stdout).toBe("from outside\n")
    expect((await k.run("exec", "many", "-c", "left", "--", "ls", "/tmp")).stdout).not.toContain("sent")
    await k.ok("cp", "many:/which", join(server.directory, "got"), "-c", "right")
    expect(readFileSync(join(server.directory, "got"), "utf8")).toBe("right\n")
    // A debugging container brings its own programs.
    await k.ok("debug", "many", `--image=${image("first")}`, "-c", "helper", "--", "sh", "-c", "cat /which; sleep 600")
    await waitFor("the log of helper", async () => (await k.run("logs", "many", "-c", "helper")).stdout === "first\n" ? true : undefined, { seconds: 30, everyMillis: 100, seen: agent.log })
    await k.ok("delete", "pod", "many", "--wait=true")
  })

  it("lists the images of the host, and does not remove those in use", async () => {
    const listed = await agent.command(["images", "list"], "--host", "sim")
    expect(listed.stderr).toBe("")
    expect(listed.stdout).toContain(`${open.host}/team/app`)
    const removed = await agent.command(["images", "remove"], "--host", "sim", `${open.host}/team/app:1`)
    expect(removed.code).not.toBe(0)
    expect(removed.stderr).toContain("is in use by")
  })
})
