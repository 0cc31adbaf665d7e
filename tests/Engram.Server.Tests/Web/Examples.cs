using Engram.Tests;

namespace Engram.Server.Tests.Web;

/// <summary>Examples in guides are the text between markers in the tests that run them.</summary>
internal static class Examples
{
    private const string Begin = "// begin example\n";
    private const string End = "// end example";

    /// <summary>A file of the repository.</summary>
    public static string Read(string path) => File.ReadAllText(Path.Combine(TestData.Root, path)).ReplaceLineEndings("\n");

    /// <summary>Asserts that a guide shows what stands between the markers of a test, its parts joined.</summary>
    public static void AreShown(string guide, string test)
    {
        var lines = Read(test).Split(Begin)[1..].SelectMany(part => part.Split(End)[0].TrimEnd(' ').TrimEnd('\n').Split('\n'));
        Assert.Contains(string.Join('\n', lines.Select(line => line.Length > 8 ? line[8..] : line.Trim())).Trim(), Read(guide), StringComparison.Ordinal);
    }
}
