using PublicApiGenerator;

namespace Engram.Tests.Docs;

public class PublicApiTests
{
    /// <summary>To accept a change of the surface: <c>ENGRAM_ACCEPT_API=1 dotnet test</c>, and commit the file.</summary>
    [Fact]
    public void The_public_surface_is_the_one_checked_in()
    {
        var path = Path.Combine(TestData.Root, "src", "Engram", "PublicApi.txt");
        var surface = typeof(Engram.Learning.Learner).Assembly
            .GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n") + "\n";
        if (Environment.GetEnvironmentVariable("ENGRAM_ACCEPT_API") == "1") File.WriteAllText(path, surface);
        var accepted = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        Assert.True(accepted == surface,
            $"the public surface differs from {Path.GetRelativePath(TestData.Root, path)} at:\n{FirstDifference(accepted, surface)}\n"
            + "If that is meant, run the tests once with ENGRAM_ACCEPT_API=1 and commit the file.");
    }

    private static string FirstDifference(string accepted, string surface)
    {
        var (old, now) = (accepted.Split('\n'), surface.Split('\n'));
        var line = old.Zip(now).TakeWhile(pair => pair.First == pair.Second).Count();
        return $"line {line + 1}: was \"{old.ElementAtOrDefault(line)}\", is \"{now.ElementAtOrDefault(line)}\"";
    }
}
