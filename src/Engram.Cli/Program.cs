using System.Runtime.InteropServices;
using Engram.Cli;

using var stop = new CancellationTokenSource();
var exitCode = ExitCode.Interrupted;

// The first signal lets the step in progress end and writes what there is; the second ends the process at once.
void Stop(PosixSignalContext signal)
{
    if (stop.IsCancellationRequested) return;
    if (signal.Signal == PosixSignal.SIGTERM) exitCode = ExitCode.Terminated;
    signal.Cancel = true;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
var code = CommandLine.Run(args, CliHost.OfProcess(stop.Token));
return code == ExitCode.Interrupted ? exitCode : code;
