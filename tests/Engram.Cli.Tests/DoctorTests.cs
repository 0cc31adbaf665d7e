using System.Text.Json.Nodes;
using Engram.Build;
using Engram.Cli.Doctor;

namespace Engram.Cli.Tests;

public class DoctorTests
{
    private static readonly string[] s_always = ["operating system", "processor", "libtorch", "threads", "CUDA", "data", "output"];

    [Fact]
    public void A_healthy_machine_is_told_so()
    {
        using var folder = new Folder();

        var outcome = Terminal.Run("doctor", "--json", "--out", folder["runs"]);

        var report = JsonNode.Parse(outcome.Out)!;
        Assert.True(outcome.Code == ExitCode.Success, outcome.Out);
        Assert.True((bool)report["ok"]!);
        var names = report["checks"]!.AsArray().Select(check => (string)check!["name"]!).ToArray();
        Assert.All(s_always, name => Assert.Contains(name, names));
        Assert.False(Directory.Exists(folder["runs"]), "looking leaves nothing behind");
    }

    [Fact]
    public void Missing_data_and_an_unwritable_folder_fail_with_a_remedy()
    {
        using var folder = new Folder();

        var outcome = Terminal.Run("doctor", "--json", "--data", folder.Path, "--out", "/proc/none");

        Assert.Equal(ExitCode.Failure, outcome.Code);
        var failed = JsonNode.Parse(outcome.Out)!["checks"]!.AsArray().Where(check => (string)check!["status"]! == "failed");
        Assert.Equal(["data", "output"], failed.Select(check => (string)check!["name"]!));
        Assert.All(failed, check => Assert.NotEmpty((string)check!["remedy"]!));
    }

    [Fact]
    public void A_machine_without_a_cxx_library_is_told_what_to_install()
    {
        var check = LibraryChecks.CxxLibrary(shim: null, system: null);

        Assert.Equal(CheckStatus.Failed, check.Status);
        Assert.Contains("libstdc++", check.Remedy!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shim_that_is_no_library_is_told_to_be_built_again()
    {
        using var folder = new Folder();
        File.WriteAllText(folder["shim.so"], "no ELF");

        var check = LibraryChecks.CxxLibrary(folder["shim.so"], new SystemCxxLibrary("libstdc++", ["GLIBCXX_3.4.30"]));

        Assert.Equal(CheckStatus.Warning, check.Status);
        Assert.Contains("dotnet build", check.Remedy!, StringComparison.Ordinal);
    }
}
