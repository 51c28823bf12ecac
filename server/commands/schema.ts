import { Command } from 'commander';
import { configurationSchema } from '../config/json-schema';
import { printJson } from './machine-output';

/** `mine schema`: the JSON Schema of configuration files, for editors; the extension ships it. */
export function createSchemaCommand(): Command {
  return new Command('schema').description('print the JSON Schema of configuration files').action(() => {
    printJson(configurationSchema());
  });
}
