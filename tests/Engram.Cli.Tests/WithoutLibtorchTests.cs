namespace Engram.Cli.Tests;

/// <summary>A copy of the tool from which the native libraries are missing: whatever loads libtorch fails there.</summary>
public sealed class WithoutLibtorchTests : IDisposable
{
    private readonly Folder _folder = new();
    private readonly string _program;

    public WithoutLibtorchTests()
    {
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory).Where(IsManaged))
            File.Copy(file, _folder[Path.GetFileName(file)]);
        // Without it the runtime takes what is beside the program, and nothing from the package cache.
        File.Delete(_folder["Engram.Cli.deps.json"]);
        _program = _folder["Engram.Cli.dll"];
    }

    [Fact]
    public void Version_and_help_work()
    {
        var version = Terminal.Start(_program, _folder.Path, "--version");
        var help = Terminal.Start(_program, _folder.Path, "run", "digits", "--help");

        Assert.Equal((ExitCode.Success, ""), (version.Code, version.Error));
        Assert.StartsWith("engram ", version.Out, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Success, ""), (help.Code, help.Error));
    }

    [Fact]
    public void The_doctor_says_that_libtorch_is_missing_and_what_to_do()
    {
        var outcome = Terminal.Start(_program, _folder.Path, "doctor");

        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.Matches("FAILED +libtorch", outcome.Out);
        Assert.Contains("Remedy: build again", outcome.Out, StringComparison.Ordinal);
        Assert.Empty(outcome.Error);
    }

    [Fact]
    public void A_run_fails_with_one_line()
    {
        var data = Commands.DataFolder.Find()!;

        var outcome = Terminal.Start(_program, _folder.Path, "run", "digits", "--quick", "--data", data);

        Assert.Equal(ExitCode.Failure, outcome.Code);
        Assert.StartsWith("engram: libtorch: cannot be loaded", Assert.Single(outcome.ErrorLines), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static bool IsManaged(string file) => Path.GetExtension(file) is ".dll" or ".json";
}
