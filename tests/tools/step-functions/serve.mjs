// Runs state machines in the States Language, and asks the callers to run their tasks.
//
//     node serve.mjs FOLDER PORT
//
// FOLDER is where `npm ci` has installed the interpreter. Each connection is one execution, because
// loading the interpreter takes much longer than an execution. Both sides send JSON Lines:
//
//     > {"definition": {…}, "input": …}        the caller begins
//     < {"call": 1, "input": …}                a task runs, maybe several at a time
//     > {"call": 1, "output": …}               its result, or
//     > {"call": 1, "error": "…", "cause": "…"}
//     < {"output": …}                          the execution has succeeded, or
//     < {"error": "…", "cause": "…"}           it has failed

import { createRequire } from "node:module";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

// The interpreter needs this function of Node 22.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
};

const [folder, port] = process.argv.slice(2);
const { StateMachine } = createRequire(`${folder}/`)("aws-local-stepfunctions");

// The states of the valid definitions. The validator compiles its schema each time, which takes longer
// than an execution, and the callers vary only the values in a definition.
const validated = new Set();

function states(machine) {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    [name, state],
    ...(state.ItemProcessor ? states(state.ItemProcessor) : []),
  ]);
}

async function execute(connection) {
  const lines = createInterface({ input: connection })[Symbol.asyncIterator]();
  const { definition, input } = JSON.parse((await lines.next()).value);
  const calls = new Map();
  const print = (line) => connection.write(`${JSON.stringify(line)}\n`);
  function run(taskInput) {
    const call = calls.size + 1;
    const task = Promise.withResolvers();
    calls.set(call, task);
    print({ call, input: taskInput });
    return task.promise;
  }

  const all = states(definition);
  const names = all.map(([name]) => name).join();
  const validationOptions = { noValidate: validated.has(names) };
  const tasks = all.filter(([, state]) => state.Type === "Task");
  const overrides = {
    taskResourceLocalHandlers: Object.fromEntries(tasks.map(([name]) => [name, run])),
    retryIntervalOverrides: Object.fromEntries(tasks.map(([name]) => [name, 1])),
  };
  const execution = new StateMachine(definition, { validationOptions }).run(input, { overrides });
  validated.add(names);
  const finish = (line) => connection.end(`${JSON.stringify(line)}\n`);
  execution.result.then(
    (output) => finish({ output }),
    (error) => finish({ error: error.name, cause: error.message }),
  );

  for await (const line of lines) {
    const { call, output, error, cause } = JSON.parse(line);
    const task = calls.get(call);
    if (error === undefined) task.resolve(output);
    else task.reject(Object.assign(new Error(cause), { name: error }));
  }
}

createServer((connection) => {
  // A caller that gives up closes its connection, or resets it.
  connection.on("error", () => {});
  execute(connection).catch((error) => connection.destroy(error));
}).listen(Number(port), "127.0.0.1");
