/** Names with functions below them, such as `sets.contains`. */
import type { Environment } from "@marcbachmann/cel-js"

/** Declares a name and gives the type that its functions are methods of. */
export const registerNamespace = (env: Environment, name: string): string => {
  const type = `kubernetes.${name}Namespace`
  const Namespace = class {
    readonly "#name" = name
  }
  env.registerType(type, { ctor: Namespace, fields: {} })
  env.registerConstant(name, type, new Namespace())
  return type
}
