using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Engram.Persistence;

namespace Engram.Tests.Persistence;

/// <summary>A bundle whose author wishes us ill: correct seal and hashes, and contents that reach too far.</summary>
public class HostileBundleTests
{
    private const string None = "0000000000000000000000000000000000000000000000000000000000000000";

    [Theory]
    [InlineData("/etc/passwd")]
    [InlineData("../../secret")]
    [InlineData("..\\..\\secret")]
    [InlineData("")]
    [InlineData("3DFDB8D2C21A33CDD2E56AC1A8A9D8DD6C37F6A89CDA748FE4CCCBA53EE8A063")]
    [InlineData("../parts/000000000000000000000000000000000000000000000000000000000")]
    public void A_part_is_named_by_64_digits_and_by_nothing_else(string name)
    {
        using var folder = Copy();
        File.WriteAllBytes(folder["secret.safetensors"], new byte[100]);
        Change(folder, manifest => manifest["parts"]![0]!["sha256"] = name);
        Assert.Contains("expected 64 hexadecimal digits", Refused(folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Links_are_not_followed_out_of_the_folder()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("links need rights there");
        using var folder = Copy();
        var (parts, elsewhere) = (Path.Combine(folder["bundle"], "parts"), folder["elsewhere"]);
        Directory.Move(parts, elsewhere);
        Directory.CreateSymbolicLink(parts, elsewhere);
        Assert.Contains("parts is a link, expected a folder", Refused(folder), StringComparison.Ordinal);

        var before = Directory.GetFiles(elsewhere).Order().ToArray();
        using (var learner = VersionFixtures.Taught("mlp"))
            Assert.Contains("parts is a link", Assert.Throws<IOException>(() => Bundle.Save(learner, folder["bundle"])).Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(elsewhere).Order());

        Directory.Delete(parts);
        Directory.Move(elsewhere, parts);
        var file = Directory.GetFiles(parts)[0];
        File.Move(file, folder["part"]);
        File.CreateSymbolicLink(file, folder["part"]);
        Assert.Contains("part ", Refused(folder), StringComparison.Ordinal);

        File.Delete(file);
        File.Move(folder["part"], file);
        var manifest = Path.Combine(folder["bundle"], "manifest.json");
        File.Move(manifest, folder["manifest"]);
        File.CreateSymbolicLink(manifest, folder["manifest"]);
        Assert.Contains("a link, expected a file", Refused(folder), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a backbone of 40 GB", "mlp 100000-100000")]
    [InlineData("a backbone without end", "mlp 2147483647-2147483647-2147483647")]
    [InlineData("layers without end", "mlp 6")]
    public void An_architecture_is_built_only_if_the_file_has_its_numbers(string what, string backbone)
    {
        using var folder = Copy();
        Change(folder, manifest => manifest["model"]!["backbone"] = backbone.EndsWith("mlp 6", StringComparison.Ordinal)
            ? "mlp 6" + string.Concat(Enumerable.Repeat("-100000", 100)) : backbone);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("model", Assert.Throws<InvalidDataException>(() => Bundle.LoadModel(folder["bundle"])).Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - bytes < 4_000_000, what);
    }

    [Fact]
    public void Classes_tasks_and_shapes_are_believed_only_as_far_as_the_file_bears_them_out()
    {
        using var folder = Copy();
        Change(folder, manifest => manifest["model"]!["features"] = int.MaxValue);
        Assert.Contains("part head", Refused(folder), StringComparison.Ordinal);
        Change(folder, manifest => manifest["model"]!["growth"] = new JsonArray(2_000_000_000, -1_999_999_997));
        Assert.Contains("model.growth", Refused(folder), StringComparison.Ordinal);
        Change(folder, manifest => manifest["learner"]!["inputShape"] = new JsonArray(1L << 40, 1L << 40));
        Assert.Contains("learner.inputShape", Refused(folder), StringComparison.Ordinal);
        // The largest task costs nothing: no table is as long as it.
        Change(folder, manifest => manifest["classes"]![0]!["task"] = int.MaxValue);
        var bytes = GC.GetAllocatedBytesForCurrentThread();
        using var model = Bundle.LoadModel(folder["bundle"]);
        using var prediction = model.Predict(VersionFixtures.Probe(), int.MaxValue);
        Assert.Equal(0, prediction.ClassIds[0]);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - bytes < 4_000_000);
    }

    private static TemporaryFolder Copy()
    {
        var (folder, source) = (new TemporaryFolder(), VersionFixtures.PathOf(1, "mlp"));
        Directory.CreateDirectory(Path.Combine(folder["bundle"], "parts"));
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
            File.Copy(file, file.Replace(source, folder["bundle"], StringComparison.Ordinal));
        return folder;
    }

    // From the fixture each time, sealed anew.
    private static void Change(TemporaryFolder folder, Action<JsonNode> change)
    {
        var manifest = JsonNode.Parse(File.ReadAllText(Path.Combine(VersionFixtures.PathOf(1, "mlp"), "manifest.json")))!;
        change(manifest);
        manifest["id"] = None;
        var text = manifest.ToJsonString();
        File.WriteAllText(Path.Combine(folder["bundle"], "manifest.json"), text.Replace(
            None, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))), StringComparison.Ordinal));
    }

    private static string Refused(TemporaryFolder folder)
    {
        using var learner = VersionFixtures.New("mlp");
        var problem = Assert.Throws<InvalidDataException>(() => Bundle.Restore(learner, folder["bundle"]));
        Assert.True(learner.IsFresh);
        return problem.Message;
    }
}
