using System.CommandLine;
using Engram.Cli.Experiments;
using Engram.Persistence;

namespace Engram.Cli.Commands;

/// <summary><c>engram init</c>: writes an experiment to start from, and the schema that editors complete with.</summary>
internal static class InitCommand
{
    /// <summary>Name of the schema beside the experiment.</summary>
    public const string SchemaName = "experiment.schema.json";

    public static Command Build(CliHost host)
    {
        var file = new Argument<string>("FILE")
        {
            Description = "File to write.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "experiment.yaml",
        };
        var schema = OptionOf.Switch("--schema", $"Write {SchemaName} beside it too, for editors.");
        var command = new Command("init", "Write a commented experiment to start from.") { file, schema, ErrorPolicy.Verbose() };
        command.SetAction(parsed =>
        {
            if (string.IsNullOrWhiteSpace(parsed.GetValue(file))) throw new UsageException("FILE: an empty name, expected a new file");
            var path = Path.GetFullPath(parsed.GetValue(file)!);
            if (Path.Exists(path)) throw new UsageException($"FILE: \"{path}\" is there already, expected a new file");
            OutputFolder.RequireWritable(Path.GetDirectoryName(path)!, "FILE");
            var text = Template();
            if (parsed.GetValue(schema))
            {
                text = $"# yaml-language-server: $schema={SchemaName}\n{text}";
                AtomicFile.Write(Path.Combine(Path.GetDirectoryName(path)!, SchemaName), ExperimentSchema.Render());
            }
            AtomicFile.Write(path, text);
            host.Out.WriteLine($"{path}: written; run it with engram run {CommandLine.Quoted(parsed.GetValue(file)!)}");
            return ExitCode.Success;
        });
        Examples.Of(command,
            "engram init my.yaml",
            "engram init my.yaml --schema        with completion in editors that know YAML schemas",
            "engram run my.yaml");
        return command;
    }

    /// <summary>The experiment to start from.</summary>
    public static string Template()
    {
        using var stream = typeof(InitCommand).Assembly.GetManifestResourceStream("experiment.yaml")
            ?? throw new InvalidOperationException("experiment.yaml: missing from this build");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
