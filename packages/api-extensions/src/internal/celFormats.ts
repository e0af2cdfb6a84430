/** Named formats of texts: `format.dns1123Label().validate(text)`. */
import { type Environment, Optional } from "@marcbachmann/cel-js"
import { Names } from "@reddwarf/api-types"
import * as Formats from "../Formats.js"
import { registerNamespace } from "./celNamespace.js"

type Rule = (text: string) => Names.Problems

const known = (format: string, problem: string): Rule => (text) => Formats.matches(format, text) ? [] : [problem]

const formats: ReadonlyMap<string, Rule> = new Map([
  ["dns1123Label", Names.isDns1123Label],
  ["dns1123Subdomain", Names.isDns1123Subdomain],
  ["dns1035Label", Names.isDns1035Label],
  ["dns1123LabelPrefix", Names.isPrefixOf(Names.isDns1123Label)],
  ["dns1123SubdomainPrefix", Names.isPrefixOf(Names.isDns1123Subdomain)],
  ["dns1035LabelPrefix", Names.isPrefixOf(Names.isDns1035Label)],
  ["qualifiedName", Names.isQualifiedName],
  ["labelValue", Names.isLabelValue],
  ["uri", known("uri", "invalid URI")],
  ["uuid", known("uuid", "does not match the UUID format")],
  ["byte", known("byte", "invalid base64")],
  ["date", known("date", "invalid date")],
  ["datetime", known("datetime", "invalid datetime")]
])

class FormatValue {
  readonly rule: Rule
  constructor(rule: Rule) {
    this.rule = rule
  }
}

const none: Optional = Optional.none()

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  const type = "kubernetes.NamedFormat"
  const namespace = registerNamespace(env, "format")
  env.registerType(type, { ctor: FormatValue, fields: {} })
  env.registerFunction(`${namespace}.named(string): optional<${type}>`, (_: unknown, name: string) => {
    const rule = formats.get(name)
    return rule === undefined ? none : Optional.of(new FormatValue(rule))
  })
  for (const [name, rule] of formats) env.registerFunction(`${namespace}.${name}(): ${type}`, () => new FormatValue(rule))
  env.registerFunction(`${type}.validate(string): optional<list<string>>`, ({ rule }: FormatValue, text: string) => {
    const problems = rule(text)
    return problems.length === 0 ? none : Optional.of([...problems])
  })
}
