using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Persistence;
using static TorchSharp.torch;

namespace Engram.Tests.Docs;

/// <summary>The examples of docs/guides/models.md are the texts between the markers below: they compile and run.</summary>
public class ModelGuideExamples
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 100);

    [Fact]
    public void A_network_of_ones_own_learns_with_distillation_and_replay()
    {
        // begin example
        using var learner = new Learner(
            () => new ContinualModel(new ModuleBackbone(
                nn.Sequential(
                    ("flatten", nn.Flatten()), ("fc", nn.Linear(784, 128)), ("norm", nn.BatchNorm1d(128)), ("relu", nn.ReLU())),
                featureCount: 128, architecture: "my-network"))
            {
                FreezeBatchNorm = Freeze.AfterFirstExperience,
            },
            new LearnerOptions { BatchSize = 64 },
            [new LearningWithoutForgetting(), new Replay()]);
        // end example
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, Label.Numbers(0, 5))));
        learner.Teach(new Experience(1, SubsetSource.WithLabels(s_train, Label.Numbers(5, 5))));
        var all = TestData.Mnist.Test.Balanced(30);
        Assert.True(Evaluator.Accuracy(learner, all) > 0.55, $"{Evaluator.Accuracy(learner, all)}, expected above 0.55 (naive below 0.5)");
    }

    [Fact]
    public void Weights_from_a_file_serve_frozen_under_a_cosine_head()
    {
        using var folder = new TemporaryFolder();
        var path = folder["resnet20.safetensors"];
        using (var trained = ResNet.Cifar(20))
            SafetensorsFile.Write(path, trained.named_parameters().Select(p => (p.name, (Tensor)p.parameter))
                .Concat(trained.named_buffers().Select(b => (b.name, b.buffer))).ToDictionary(pair => pair.name, pair => pair.Item2));
        // begin example
        var backbone = ResNet.Cifar(20);
        backbone.LoadWeights(SafetensorsFile.Read(path));
        using var learner = new Learner(
            () => new ContinualModel(backbone, new CosineHead(backbone.FeatureCount), InputScaling.ImageNet)
            {
                FreezeBackbone = Freeze.FromStart,
            });
        // end example
        byte[] Weights() => [.. backbone.parameters().SelectMany(parameter => parameter.bytes.ToArray())];
        var start = Weights();
        using var images = randint(256, [12, 3, 32, 32], ScalarType.Byte);
        learner.Teach(new Experience(0, TensorSource.OfClasses(images, [.. Enumerable.Range(0, 12).Select(i => (Label)(i % 3))])));
        Assert.Equal(start, Weights());
        Assert.Equal((3 * 64) + 1, learner.Context.Arena.Length);
    }

    [Fact]
    public void The_guide_shows_the_examples_that_run_here()
    {
        var guide = File.ReadAllText(Path.Combine(TestData.Root, "docs", "guides", "models.md")).ReplaceLineEndings("\n");
        var here = File.ReadAllText(Path.Combine(TestData.Root, "tests", "Engram.Tests", "Docs", "ModelGuideExamples.cs"));
        var examples = here.ReplaceLineEndings("\n").Split("        // begin example\n")[1..].Select(text => text.Split("        // end example")[0]).ToArray();
        Assert.Equal(2, examples.Length);
        foreach (var example in examples)
            Assert.Contains(
                string.Join('\n', example.Split('\n').Select(line => line.Length > 8 ? line[8..] : line.Trim())).Trim(), guide, StringComparison.Ordinal);
    }
}
