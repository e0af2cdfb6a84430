/** From the containers of a pod to processes: variables, command line, working directory. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { posix } from "node:path"
import * as ContainerStatus from "../pod/ContainerStatus.js"
import * as ContainerLife from "./ContainerLife.js"
import * as ContainerRoots from "./ContainerRoots.js"
import * as EnvFiles from "./EnvFiles.js"
import * as Expansion from "./Expansion.js"
import * as FieldValues from "./FieldValues.js"
import * as ImageProcess from "./ImageProcess.js"
import * as ServiceVariables from "./ServiceVariables.js"
import { ContainerConfigError } from "../pod/PodError.js"
import * as PodHosts from "../network/PodHosts.js"
import type * as FileVariables from "../supervisor/FileVariables.js"
import type { PodSources } from "../volume/PodSources.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/**
 * All that a container's process is made from.
 *
 * @category models
 */
export interface Inputs {
  readonly pod: CoreV1.Pod
  readonly facts: FieldValues.PodFacts
  readonly sources: PodSources
  /** By container; absent where images are not used, and containers run programs of their zone. */
  readonly images?: ReadonlyMap<string, ImageProcess.ContainerImage> | undefined
}

type Result<A> = Either.Either<A, ContainerConfigError>

const base64 = (text: string): string => Buffer.from(text, "base64").toString("utf8")

/** Values of a Secret are base64 on the wire. */
const secretValues = (secret: CoreV1.Secret): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, base64(value)]))

/** A name that Kubernetes accepts: printable ASCII without `=`. */
const isVariableName = (name: string): boolean => /^[ -<>-~]+$/.test(name)

interface Reference {
  readonly what: "configmap" | "secret"
  readonly name: string
  readonly key?: string
  readonly optional: boolean
}

const lookUp = (
  { pod, sources }: Inputs,
  container: string,
  reference: Reference
): Result<Readonly<Record<string, string>> | undefined> => {
  const { key, name, optional, what } = reference
  const secret = sources.secrets.get(name)
  const values = what === "configmap" ? sources.configMaps.get(name)?.data : secret === undefined ? undefined : secretValues(secret)
  const exists = what === "configmap" ? sources.configMaps.has(name) : secret !== undefined
  const fail = (detail: string) => Either.left(new ContainerConfigError({ container, reason: "CreateContainerConfigError", detail }))
  if (!exists) return optional ? Either.right(undefined) : fail(`${what} "${name}" not found`)
  if (key === undefined) return Either.right(values ?? {})
  const value = values?.[key]
  if (value !== undefined) return Either.right({ [key]: value })
  const object = `${what === "configmap" ? "ConfigMap" : "Secret"} ${pod.metadata.namespace ?? ""}/${name}`
  return optional ? Either.right(undefined) : fail(`couldn't find key ${key} in ${object}`)
}

const valueFrom = (inputs: Inputs, container: CoreV1.Container, source: CoreV1.EnvVarSource): Result<string | undefined> => {
  const fail = (detail: string) =>
    new ContainerConfigError({ container: container.name, reason: "CreateContainerConfigError", detail })
  if (source.fieldRef !== undefined) {
    return Either.mapLeft(FieldValues.field(inputs.pod, inputs.facts, source.fieldRef.fieldPath), fail)
  }
  if (source.resourceFieldRef !== undefined) {
    const { containerName } = source.resourceFieldRef
    const all = [...inputs.pod.spec?.initContainers ?? [], ...inputs.pod.spec?.containers ?? []]
    const other = containerName === undefined || containerName === "" ? container : all.find(({ name }) => name === containerName)
    return other === undefined
      ? Either.left(fail(`container ${containerName} not found`))
      : Either.mapLeft(FieldValues.resource(other, inputs.facts, source.resourceFieldRef), fail)
  }
  const reference: Reference | undefined = source.configMapKeyRef !== undefined
    ? { what: "configmap", name: source.configMapKeyRef.name ?? "", key: source.configMapKeyRef.key, optional: source.configMapKeyRef.optional === true }
    : source.secretKeyRef !== undefined
    ? { what: "secret", name: source.secretKeyRef.name ?? "", key: source.secretKeyRef.key, optional: source.secretKeyRef.optional === true }
    : undefined
  if (reference === undefined) {
    return Either.left(fail("this source of a variable is not supported; use value, fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef or fileKeyRef"))
  }
  return Either.map(lookUp(inputs, container.name, reference), (values) => values?.[reference.key ?? ""])
}

/** Keys of ConfigMaps and Secrets that cannot be variables. @category models */
export interface InvalidNames {
  readonly source: "configMap" | "secret"
  readonly name: string
  readonly keys: ReadonlyArray<string>
}

/**
 * What of `envFrom` is left out, because no variable can have the name.
 *
 * @category combinators
 */
export const invalidNames = ({ sources }: Inputs, container: CoreV1.Container): ReadonlyArray<InvalidNames> =>
  (container.envFrom ?? []).flatMap(({ configMapRef, prefix = "", secretRef }): ReadonlyArray<InvalidNames> => {
    const name = configMapRef?.name ?? secretRef?.name ?? ""
    const data = configMapRef === undefined ? sources.secrets.get(name)?.data : sources.configMaps.get(name)?.data
    const keys = Object.keys(data ?? {}).filter((key) => !isVariableName(`${prefix}${key}`)).sort()
    return keys.length === 0 ? [] : [{ source: configMapRef === undefined ? "secret" : "configMap", name, keys }]
  })

interface Environment {
  readonly values: ReadonlyMap<string, string>
  /** Not known before the container starts, because of files that others have yet to write. */
  readonly late: ReadonlyArray<FileVariables.LateVariable>
}

/** What an environment is put together with beside the pod and its sources. */
interface Basis {
  /** Absent where images are not used. */
  readonly image: Files.ImageWords | undefined
  /** Where the file is that a variable is in; left is a sentence for people. */
  readonly find: (variable: string, reference: CoreV1.FileKeySelector) => Either.Either<FileVariables.FileKey, string>
}

const basisOf = (inputs: Inputs, { name }: CoreV1.Container): Basis => ({
  image: inputs.images?.get(name)?.process,
  find: (_, reference) => EnvFiles.find(inputs, reference)
})

const fileVariable = ({ find }: Basis, container: CoreV1.Container, name: string, reference: CoreV1.FileKeySelector): Result<FileVariables.LateVariable> =>
  Either.mapBoth(find(name, reference), {
    onLeft: (detail) => new ContainerConfigError({ container: container.name, reason: "CreateContainerConfigError", detail }),
    onRight: (from) => ({ type: "file", name, from })
  })

/**
 * The variables of a container that are known before it starts, in order. Later definitions win; `$(NAME)` sees the ones before it.
 *
 * @category combinators
 */
export const variables = (inputs: Inputs, container: CoreV1.Container): Result<ReadonlyMap<string, string>> =>
  Either.map(environment(inputs, container, basisOf(inputs, container)), ({ values }) => values)

const environment = (inputs: Inputs, container: CoreV1.Container, basis: Basis): Result<Environment> => {
  const { pod } = inputs
  const { image } = basis
  const values = new Map<string, string>([
    ...(image === undefined ? [] : [["PATH", defaultPath] as const, ...ImageProcess.variables(image)]),
    ["HOSTNAME", PodHosts.hostname(pod)],
    ...ServiceVariables.of(pod, inputs.facts.services ?? [])
  ])
  for (const source of container.envFrom ?? []) {
    const reference: Reference | undefined = source.configMapRef !== undefined
      ? { what: "configmap", name: source.configMapRef.name ?? "", optional: source.configMapRef.optional === true }
      : source.secretRef !== undefined
      ? { what: "secret", name: source.secretRef.name ?? "", optional: source.secretRef.optional === true }
      : undefined
    if (reference === undefined) continue
    const found = lookUp(inputs, container.name, reference)
    if (Either.isLeft(found)) return Either.left(found.left)
    for (const [key, value] of Object.entries(found.right ?? {})) {
      const name = `${source.prefix ?? ""}${key}`
      if (isVariableName(name)) values.set(name, value)
    }
  }
  const late: Array<FileVariables.LateVariable> = []
  for (const { name, value: text = "", valueFrom: source } of container.env ?? []) {
    if (source?.fileKeyRef !== undefined) {
      const found = fileVariable(basis, container, name, source.fileKeyRef)
      if (Either.isLeft(found)) return Either.left(found.left)
      late.push(found.right)
      continue
    }
    // What stands behind a variable of a file may refer to it, or take its place.
    if (source === undefined) {
      if (late.length > 0) late.push({ type: "text", name, text })
      else values.set(name, Expansion.expand(text, (other) => values.get(other)))
      continue
    }
    const value = valueFrom(inputs, container, source)
    if (Either.isLeft(value)) return Either.left(value.left)
    if (value.right === undefined) continue
    if (late.length > 0) late.push({ type: "value", name, value: value.right })
    else values.set(name, value.right)
  }
  return Either.right({ values, late })
}

/** What container runtimes set where an image says nothing. */
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const given = (text: string | undefined): string | undefined => text === "" ? undefined : text

const literally = (words: ReadonlyArray<string>): ReadonlyArray<string> => words.map((word) => word.replaceAll("$", "$$$$"))

/** What files decide about a process. References are resolved with their variables; in what comes from an image there are none. */
const lateProcess = (
  variables: ReadonlyArray<FileVariables.LateVariable>,
  image: Files.ImageWords | undefined,
  { args = [], command = [] }: CoreV1.Container
): FileVariables.LateProcess | undefined => {
  const [first, ...others] = variables
  const own = image === undefined ? undefined : { entrypoint: literally(image.entrypoint), cmd: literally(image.cmd) }
  const [program, ...rest] = ImageProcess.words(own, command, args)
  return first === undefined || program === undefined ? undefined : { variables: [first, ...others], argv: [program, ...rest] }
}

const hasNul = (texts: Iterable<string>): boolean => [...texts].some((text) => text.includes("\0"))

/** What of a process follows from its variables. @category models */
export type Command = Pick<Files.ContainerSpec, "argv" | "env" | "late">

const failing = ({ name: container }: CoreV1.Container) => (reason: ContainerConfigError["reason"], detail: string) =>
  Either.left(new ContainerConfigError({ container, reason, detail }))

const commandOf = (inputs: Inputs, container: CoreV1.Container, basis: Basis): Result<Command> => {
  const fail = failing(container)
  const found = environment(inputs, container, basis)
  if (Either.isLeft(found)) return Either.left(found.left)
  const { late, values: env } = found.right
  const expandAll = (words: ReadonlyArray<string> | undefined) =>
    (words ?? []).map((word) => Expansion.expand(word, (name) => env.get(name)))
  const { image } = basis
  const [program, ...rest] = ImageProcess.words(image, expandAll(container.command), expandAll(container.args))
  if (program === undefined && image !== undefined) {
    return fail("CreateContainerError", `no command specified: neither container "${container.name}" nor its image "${container.image ?? ""}" names one`)
  }
  if (program === undefined || (image === undefined && (container.command ?? []).length === 0)) {
    return fail(
      "CreateContainerError",
      `container "${container.name}" has no command, and images are not used on this node, so the command of image "${container.image ?? ""}" is unknown; set command in the pod`
    )
  }
  const words = [program, ...rest] as const
  const later = lateProcess(late, image, container)
  // As container runtimes do.
  const terminal = container.tty === true && !env.has("TERM") ? [{ name: "TERM", value: "xterm" }] : []
  if (hasNul(words) || hasNul(env.values())) return fail("CreateContainerError", "a command or variable holds a NUL character; remove it")
  return Either.right({
    argv: words,
    env: [...terminal, ...[...env].map(([name, value]) => ({ name, value }))],
    ...(later === undefined ? {} : { late: later })
  })
}

/**
 * What follows from the variables of a container by now, for another attempt of the process that was handed over: its image and the places of its
 * volumes are those of then, whatever the pod says.
 *
 * @category constructors
 */
export const renewed = (inputs: Omit<Inputs, "images">, handed: Pick<Files.ContainerSpec, "image" | "late">, container: CoreV1.Container): Result<Command> =>
  commandOf(inputs, container, {
    image: handed.image,
    find: (variable) => {
      const known = handed.late?.variables.find(({ name, type }) => type === "file" && name === variable)
      return known?.type === "file" ? Either.right(known.from) : Either.left(`the place of the file with variable ${variable} is not known`)
    }
  })

/**
 * The process of a container.
 *
 * @category constructors
 */
export const process = (inputs: Inputs, container: CoreV1.Container): Result<Files.ContainerSpec> => {
  const fail = failing(container)
  const command = commandOf(inputs, container, basisOf(inputs, container))
  if (Either.isLeft(command)) return Either.left(command.left)
  const image = inputs.images?.get(container.name)
  const user = ImageProcess.user(image, inputs.pod, container)
  const root = ContainerRoots.of(inputs).get(container.name)
  if (Either.isLeft(user)) return fail("CreateContainerConfigError", user.left)
  const { argv, env, late } = command.right
  return Either.right({
    name: container.name,
    kind: ContainerStatus.kindOf(inputs.pod, container),
    argv,
    env,
    workingDirectory: posix.resolve("/", given(container.workingDir) ?? given(image?.process.workingDir) ?? "/"),
    ...(user.right === undefined ? {} : { user: user.right }),
    ...(root === undefined ? {} : { root: ContainerRoots.entry(root) }),
    ...(image === undefined ? {} : { imageID: image.imageID, image: wordsOf(image.process) }),
    ...(container.stdin === true ? { stdin: true } : {}),
    ...(container.stdin === true && container.stdinOnce === true ? { stdinOnce: true } : {}),
    ...(container.tty === true ? { tty: true } : {}),
    lifecycle: ContainerLife.of(container, inputs.facts, image),
    ...(late === undefined ? {} : { late })
  })
}

const wordsOf = ({ cmd, entrypoint, env }: Files.ImageWords): Files.ImageWords => ({ env, entrypoint, cmd })

/**
 * The processes of all containers of a pod, in the order in which they are declared.
 *
 * @category constructors
 */
export const processes = (inputs: Inputs): Result<ReadonlyArray<Files.ContainerSpec>> =>
  Either.all([...inputs.pod.spec?.initContainers ?? [], ...inputs.pod.spec?.containers ?? []].map((container) => process(inputs, container)))
