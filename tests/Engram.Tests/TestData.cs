using Engram.Data;

namespace Engram.Tests;

/// <summary>Where the tests find data: MNIST in the repository, the rest by ENGRAM_DATA or in ../shared/data.</summary>
internal static class TestData
{
    private static readonly string s_root = FindRoot();
    private static readonly Lazy<Mnist> s_mnist = new(() => Mnist.Load(Path.Combine(s_root, "data", "mnist")));

    public static string Root => s_root;

    public static Mnist Mnist => s_mnist.Value;

    /// <summary>The path of a shared archive; skips the test, visibly, where it is not there.</summary>
    public static string Shared(string archive)
    {
        var folder = Environment.GetEnvironmentVariable("ENGRAM_DATA") ?? Path.Combine(Root, "..", "shared", "data");
        var path = Path.Combine(folder, archive);
        if (!File.Exists(path)) Assert.Skip($"{archive} is not in {folder}; set ENGRAM_DATA to a folder that has it");
        return path;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Engram.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("tests run outside the repository");
    }
}
