using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Engram.Cli.Doctor;
using Spectre.Console;

namespace Engram.Cli.Commands;

/// <summary><c>engram doctor</c>: says whether everything is there, and what to do where it is not.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static Command Build(CliHost host)
    {
        var data = OptionOf.Text("--data", "Folder with the MNIST files [default: data/mnist here or above]", "DIR");
        var output = OptionOf.Text("--out", "Folder that runs would be written to [default: runs]", "DIR");
        var json = OptionOf.Switch("--json", "Write one JSON object to standard output.");
        var command = new Command("doctor", "Check this machine, the native libraries and the data, and say what to do.")
        {
            data, output, json, ErrorPolicy.Verbose(),
        };
        command.SetAction(parsed =>
        {
            var checks = Examine(parsed.GetValue(data), parsed.GetValue(output) ?? "runs");
            var healthy = checks.All(check => check.Status != CheckStatus.Failed);
            if (parsed.GetValue(json))
                host.Out.WriteLine(JsonSerializer.Serialize(
                    new { Ok = healthy, CommandLine.Version, Checks = checks }, s_json));
            else
                Print(host.Console, checks, healthy);
            return healthy ? ExitCode.Success : ExitCode.Failure;
        });
        Examples.Of(command,
            "engram doctor",
            "engram doctor --data /data/mnist --out /results",
            "engram doctor --json");
        return command;
    }

    private static List<Check> Examine(string? data, string output)
    {
        var checks = new List<Check> { MachineChecks.OperatingSystem(), MachineChecks.Processor(), LibraryChecks.Sources() };
        if (LibraryChecks.CxxLibrary() is { } library) checks.Add(library);
        var libtorch = LibraryChecks.Libtorch();
        checks.Add(libtorch);
        // What depends on libtorch says nothing more once that is missing.
        if (libtorch.Status == CheckStatus.Ok) checks.AddRange([LibraryChecks.Threads(), LibraryChecks.Cuda()]);
        checks.AddRange([FileChecks.Data(data), FileChecks.Output(output)]);
        return checks;
    }

    private static void Print(IAnsiConsole console, IReadOnlyList<Check> checks, bool healthy)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap()).AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var check in checks)
        {
            var mark = check.Status switch
            {
                CheckStatus.Ok => "[green]ok[/]",
                CheckStatus.Warning => "[yellow]warning[/]",
                _ => "[red]FAILED[/]",
            };
            var value = Markup.Escape(check.Value);
            if (check.Remedy is { } remedy) value += $"\n[bold]Remedy:[/] {Markup.Escape(remedy)}";
            grid.AddRow(mark, Markup.Escape(check.Name), value);
        }
        console.Write(grid);
        console.WriteLine();
        console.WriteLine(healthy
            ? "All that is needed is there. Next: engram run digits --quick"
            : "Engram cannot run here yet: see what FAILED above.");
    }
}
