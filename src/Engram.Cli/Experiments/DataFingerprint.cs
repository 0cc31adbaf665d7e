using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Engram.Cli.Images;

namespace Engram.Cli.Experiments;

/// <summary>Tells data apart, so that nothing computed from other files is taken for a result of these.</summary>
internal static class DataFingerprint
{
    // What the test halves of data sets are called: t10k-images-idx3-ubyte, test_batch.bin, test.csv, test/...
    private static readonly string[] s_tests = ["t10k", "test"];

    /// <summary>The same for the same files, wherever they are.</summary>
    /// <param name="path">A file, or a folder with all that is in it.</param>
    public static string Of(string path) => Of(path, _ => true);

    /// <summary>The same for the same training files; not one test file of a folder is opened.</summary>
    /// <param name="path">A file, or a folder with all that is in it.</param>
    public static string OfTraining(string path) => Of(path, name => !s_tests.Any(test => name.StartsWith(test, StringComparison.Ordinal)));

    private static string Of(string path, Func<string, bool> counts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (File.Exists(path)) Add(hash, Path.GetFileName(path), path);
        else
            foreach (var file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Select(file => (Name: Path.GetRelativePath(path, file).Replace('\\', '/'), Path: file))
                .Where(file => counts(file.Name)).OrderBy(file => file.Name, StringComparer.Ordinal))
                Add(hash, file.Name, file.Path);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static void Add(IncrementalHash hash, string name, string path)
    {
        using var file = File.OpenRead(path);
        hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{name}\n{file.Length}\n")));
        if (ImageFile.IsImage(name)) return; // of hundreds of thousands, names and sizes must do
        hash.AppendData(SHA256.HashData(file));
    }
}
