// Runs a state machine in the States Language, and asks the caller to run its tasks.
//
//     node run.mjs FOLDER
//
// FOLDER is where `npm ci` has installed the interpreter. Standard input and output are JSON Lines:
//
//     > {"definition": {…}, "input": …}        the caller begins
//     < {"call": 1, "input": …}                a task runs, maybe several at a time
//     > {"call": 1, "output": …}               its result, or
//     > {"call": 1, "error": "…", "cause": "…"}
//     < {"output": …}                          the execution has succeeded, or
//     < {"error": "…", "cause": "…"}           it has failed

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

// The interpreter needs this function of Node 22.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
};

const { StateMachine } = createRequire(`${process.argv[2]}/`)("aws-local-stepfunctions");
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { definition, input } = JSON.parse((await lines.next()).value);

const calls = new Map();
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
function run(taskInput) {
  const call = calls.size + 1;
  const task = Promise.withResolvers();
  calls.set(call, task);
  print({ call, input: taskInput });
  return task.promise;
}

function states(machine) {
  return Object.entries(machine.States).flatMap(([name, state]) => [
    [name, state],
    ...(state.ItemProcessor ? states(state.ItemProcessor) : []),
  ]);
}
const tasks = states(definition).filter(([, state]) => state.Type === "Task");
const overrides = {
  taskResourceLocalHandlers: Object.fromEntries(tasks.map(([name]) => [name, run])),
  retryIntervalOverrides: Object.fromEntries(tasks.map(([name]) => [name, 1])),
};
const execution = new StateMachine(definition).run(input, { overrides });

(async () => {
  for await (const line of lines) {
    const { call, output, error, cause } = JSON.parse(line);
    const task = calls.get(call);
    if (error === undefined) task.resolve(output);
    else task.reject(Object.assign(new Error(cause), { name: error }));
  }
})();

try {
  print({ output: await execution.result });
} catch (error) {
  print({ error: error.name, cause: error.message });
}
process.exit();
