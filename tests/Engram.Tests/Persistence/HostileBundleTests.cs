using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Engram.Persistence;
using TorchSharp;
using static TorchSharp.torch;

namespace Engram.Tests.Persistence;

/// <summary>A bundle whose author wishes us ill: correct seal and hashes, and contents that reach too far.</summary>
public class HostileBundleTests
{
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
    [InlineData("mlp 1000-1000")]
    [InlineData("mlp 2147483647-2147483647-2147483647")]
    [InlineData("mlp 6-100000-100000-100000-100000-100000-100000")]
    [InlineData("resnet18-64")]
    [InlineData("digits-cnn")]
    [InlineData("patches 1000x1000 side 6 grid 6")]
    public void An_architecture_is_built_only_if_the_file_has_its_numbers(string backbone)
    {
        using var folder = Copy();
        int Refused(string architecture)
        {
            Change(folder, manifest => manifest["model"]!["backbone"] = architecture);
            return Made(() => Assert.Contains("model: architecture", Assert.Throws<InvalidDataException>(
                () => Bundle.LoadModel(folder["bundle"])).Message, StringComparison.Ordinal));
        }

        // Native memory is not the collector's, so tensors are counted: no more than where there is nothing to build.
        Assert.Equal(Refused("no such backbone"), Refused(backbone));
    }

    [Fact]
    public void A_head_that_grew_a_thousand_times_is_built_in_one_go()
    {
        const int Classes = 1000;
        using var folder = Copy();
        using var scope = NewDisposeScope();
        var head = Path.Combine(folder["bundle"], "parts", "head");
        SafetensorsFile.Write(head, new Dictionary<string, Tensor> { ["head.weight"] = ones(Classes, 4), ["head.bias"] = ones(Classes) });
        var hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(head)));
        File.Move(head, Path.Combine(folder["bundle"], "parts", $"{hash}.safetensors"));
        Change(folder, manifest =>
        {
            manifest["classes"] = new JsonArray([.. Enumerable.Range(0, Classes).Select(
                id => new JsonObject { ["label"] = $"{id}", ["task"] = null })]);
            manifest["model"]!["growth"] = new JsonArray([.. Enumerable.Repeat(0, Classes).Select(_ => JsonValue.Create(1))]);
            var part = manifest["parts"]!.AsArray().Single(part => (string)part!["name"]! == "head")!;
            (part["sha256"], part["bytes"]) = (hash, new FileInfo(Path.Combine(folder["bundle"], "parts", $"{hash}.safetensors")).Length);
        });
        var made = Made(() =>
        {
            using var model = Bundle.LoadModel(folder["bundle"]);
            Assert.Equal((Classes, Classes), (model.Model.Head.ClassCount, model.Model.Head.Growth.Count));
            Assert.Equal(1, model.Model.Head.get_parameter("weight")![Classes - 1, 0].item<float>());
        });
        Assert.InRange(made, 1, 100);
    }

    public static TheoryData<string, string, string> Sizes => new()
    {
        { "dgr", "vae.inputs", "1000000" },
        { "dgr", "vae.inputs", "-1" },
        { "dgr-gan", "gan.image", "[1,400,400]" },
        { "dgr-gan", "gan.image", "[1,4611686018427387904,4611686018427387904]" },
        { "dgr-gan", "gan.image", "[-1,28,28]" },
        { "dgr-gan", "gan.classes", "10000" },
        { "brain-inspired", "inputs", "1000000" },
        { "brain-inspired", "classes", "100000" },
        { "generative-classifier", "classes", "[0,0]" },
        { "generative-classifier", "classes", "[0,1,2,3,4,5]" },
        { "generative-classifier", "classes", "[2147483647]" },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_generator_is_built_only_if_the_file_has_its_numbers(string strategy, string value, string size)
    {
        using var folder = new TemporaryFolder();
        var (model, options, stream) = LearnerCases.For(strategy);
        using (var learner = LearnerCases.New(strategy, model, options))
        {
            learner.Teach(stream[0]);
            Bundle.Save(learner, folder["bundle"]);
        }
        string Refused(JsonNode wrong, out int made)
        {
            SealedManifest.Change(folder["bundle"], folder["bundle"], manifest => manifest["mechanisms"]![0]!["values"]![value] = wrong);
            using var learner = LearnerCases.New(strategy, model, options);
            var message = "";
            made = Made(() => message = Assert.Throws<InvalidDataException>(() => Bundle.Restore(learner, folder["bundle"])).Message);
            Assert.Throws<InvalidOperationException>(learner.CheckWhole);
            return message;
        }

        // No size at all is refused before anything could be built; only the classes that were right so far have a network each.
        Refused(new JsonArray("no number"), out var least);
        Assert.Contains("its state does not fit", Refused(JsonNode.Parse(size)!, out var made), StringComparison.Ordinal);
        Assert.InRange(made, 0, least + (strategy == "generative-classifier" ? 250 : 5));
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
    private static void Change(TemporaryFolder folder, Action<JsonNode> change) =>
        SealedManifest.Change(VersionFixtures.PathOf(1, "mlp"), folder["bundle"], change);

    // Tensors that an action makes on this thread.
    private static int Made(Action action)
    {
        var statistics = DisposeScopeManager.Statistics.TensorStatistics;
        var before = statistics.CreatedInScopeCount + statistics.CreatedOutsideScopeCount;
        action();
        return (int)(statistics.CreatedInScopeCount + statistics.CreatedOutsideScopeCount - before);
    }

    private static string Refused(TemporaryFolder folder)
    {
        using var learner = VersionFixtures.New("mlp");
        var problem = Assert.Throws<InvalidDataException>(() => Bundle.Restore(learner, folder["bundle"]));
        Assert.True(learner.IsFresh);
        return problem.Message;
    }
}
