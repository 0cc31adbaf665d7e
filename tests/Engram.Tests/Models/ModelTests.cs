using System.Formats.Tar;
using System.IO.Compression;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Models;

public class ModelTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 10);

    public static TheoryData<string, Func<Backbone>, int, int, long> Backbones => new()
    {
        // Parameters counted by hand from the papers' tables, without the last layer.
        { "lenet5", () => new LeNet5(), 1, 28, 156 + 2416 + 48120 + 10164 },
        { "resnet20", () => ResNet.Cifar(20), 3, 32, 269_722 - 650 },
        { "resnet32", () => ResNet.Cifar(), 3, 32, 464_154 - 650 },
        { "resnet18 slim", () => ResNet.ResNet18(20), 3, 32, 1_094_750 - 1610 },
        { "resnet18", () => ResNet.ResNet18(), 3, 32, 11_173_962 - 5130 },
    };

    [Theory]
    [MemberData(nameof(Backbones))]
    public void Backbones_have_their_published_size(string what, Func<Backbone> create, int channels, int size, long parameters)
    {
        using var scope = NewDisposeScope();
        using var backbone = create();
        backbone.eval();
        Assert.Equal([2, backbone.FeatureCount], backbone.forward(zeros(2, channels, size, size)).shape);
        Assert.True(parameters == backbone.parameters().Sum(p => p.numel()), $"{what}: {backbone.parameters().Sum(p => p.numel())}");
    }

    [Theory]
    [InlineData("resnet32", "ewc")]
    [InlineData("resnet32", "lwf+replay")]
    [InlineData("resnet32", "gem")]
    [InlineData("resnet32", "der++")]
    [InlineData("resnet18 slim", "mas")]
    [InlineData("resnet18 slim", "a-gem")]
    [InlineData("resnet18", "si")]
    public void ResNets_train_with_mechanisms_which_take_part(string what, string strategy)
    {
        var own = Trained(Strategies.Named(strategy).Create(new StrategyBudget(20)));
        Assert.DoesNotContain(own, value => !float.IsFinite(value));
        Assert.NotEqual(Trained([]), own);

        float[] Trained(IReadOnlyList<RetentionMechanism> mechanisms)
        {
            var create = Backbones.Select(row => row.Data).First(data => data.Item1 == what).Item2;
            using var scope = NewDisposeScope();
            using var learner = new Learner(() => new ContinualModel(create()), new LearnerOptions { BatchSize = 2, Epochs = 3 }, mechanisms);
            using var random = new Generator(1);
            for (var e = 0; e < 2; e++)
                learner.Teach(new Experience(e, TensorSource.OfClasses(
                    rand([4, 3, 8, 8], generator: random), [0, 1, 0, 1], Label.Numbers(2 * e, 2))));
            return learner.Context.Arena.Values.data<float>().ToArray();
        }
    }

    [Fact]
    public void ResNet20_with_the_public_weights_is_right_on_about_91_7_percent_of_cifar10()
    {
        var cifar = Cifar.Load10(TestData.Shared("cifar-10-batches-bin.tar.gz"));
        var weights = Safetensors(TestData.Shared("weights.tar.gz"), "resnet20-12fca82f.safetensors");
        using var backbone = ResNet.Cifar(20);
        backbone.LoadWeights(weights);
        backbone.eval();
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        var right = 0L;
        for (var start = 0; start < cifar.Test.Count; start += 100)
        {
            using var inner = NewDisposeScope();
            var batch = cifar.Test.Samples.Gather([.. Enumerable.Range(start, 100).Select(i => (long)i)]);
            var features = backbone.forward(InputScaling.ImageNet.Apply(batch.Inputs));
            var logits = nn.functional.linear(features, weights["linear.weight"], weights["linear.bias"]);
            right += logits.argmax(1).eq(batch.Targets).sum().item<long>();
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{right} of {cifar.Test.Count}");
        Assert.InRange(right / (double)cifar.Test.Count, 0.90, 0.94);
        Assert.Equal("airplane", cifar.Test.Classes[0].Name);
        weights.Remove("layer1.0.bn1.running_var");
        Assert.Contains("layer1.0.bn1.running_var is missing", Assert.Throws<ArgumentException>(
            () => backbone.LoadWeights(weights)).Message);
    }

    [Fact]
    public void Cifar100_reads_fine_labels()
    {
        var cifar = Cifar.Load100(TestData.Shared("cifar-100-binary.tar.gz"));
        Assert.Equal((10_000, 2_000, 100), (cifar.Train.Count, cifar.Test.Count, cifar.Train.Labels.Count));
        Assert.All(cifar.Train.Codes.ToArray().CountBy(code => code), pair => Assert.Equal(100, pair.Value));
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    public void A_growing_head_keeps_old_rows_and_moments_bit_by_bit(string kind)
    {
        using var learner = new Learner(() => new ContinualModel(
            new Mlp(784, 16), kind == "linear" ? new LinearHead(16) : new CosineHead(16)));
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1", "2"])));
        var (context, moments) = (learner.Context, learner.Optimizer.Moments);
        using var scope = NewDisposeScope();
        var slot = context.Arena["head.weight"];
        var kept = new[] { context.Arena.Values, moments["m"], moments["v"] }.Select(v => slot.Of(v).bytes.ToArray()).ToArray();
        Assert.All(kept, bytes => Assert.Contains(bytes, b => b != 0));
        // Growth without a step: what the loop does on entering an experience.
        context.Model.Head.Grow(2);
        learner.Optimizer.Carry(context.Arena.Rebuild());
        slot = context.Arena["head.weight"];
        Assert.Equal([5, 16], slot.Shape);
        var carried = new[] { context.Arena.Values, moments["m"], moments["v"] };
        for (var i = 0; i < 3; i++) Assert.Equal(kept[i], slot.Of(carried[i]).narrow(0, 0, 3).contiguous().bytes.ToArray());
        Assert.True(slot.Of(moments["v"]).narrow(0, 3, 2).eq(0).all().item<bool>());
        Assert.False(slot.Of(context.Arena.Values).narrow(0, 3, 2).eq(0).any().item<bool>());
    }

    [Fact]
    public void Cosine_logits_are_eta_times_the_cosine()
    {
        using var scope = NewDisposeScope();
        using var head = new CosineHead(2);
        head.Grow(1);
        using (no_grad())
        {
            head.get_parameter("weight")!.copy_(tensor(new float[] { 3, 4 }).view(1, 2));
            head.get_parameter("eta")!.fill_(5);
        }
        // cos = (3·1 + 4·0) / (5 · 1) = 0.6
        Assert.Equal(3f, head.forward(tensor(new float[] { 10, 0 }).view(1, 2)).item<float>(), 5);
    }

    public static TheoryData<string> NamedBackbones => [.. Architectures.Names];

    public static TheoryData<string> AllBackbones =>
        [.. Architectures.Names, "mlp 12-3", "progressive-mlp 12-3", "raw 12", "cosine-mlp 3x6x4 4-3", "patches 3x5 side 4 grid 2"];

    /// <summary>What is said of the samples that a backbone reads is what it reads.</summary>
    [Theory]
    [MemberData(nameof(AllBackbones))]
    public void A_backbone_reads_the_samples_that_it_is_said_to_read(string architecture)
    {
        long[][] shapes = [[12], [3, 2, 2], [1, 28, 28], [1, 32, 32], [3, 32, 32], [3, 6, 4], [3, 9, 7], [1, 9, 7]];
        using var backbone = Architectures.Backbone(architecture, long.MaxValue);
        backbone.eval();
        var read = shapes.Where(Says).ToArray();
        Assert.NotEmpty(read);
        foreach (var shape in shapes)
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            if (read.Contains(shape)) Assert.Equal([2L, backbone.FeatureCount], backbone.forward(zeros([2, .. shape])).shape);
            else if (!architecture.StartsWith("raw", StringComparison.Ordinal)) Assert.ThrowsAny<Exception>(() => backbone.forward(zeros([2, .. shape])));
        }

        bool Says(long[] shape)
        {
            try
            {
                Architectures.CheckBackbone(architecture, long.MaxValue, shape);
                return true;
            }
            catch (FormatException problem)
            {
                Assert.Contains($"architecture: {architecture} reads ", problem.Message, StringComparison.Ordinal);
                Assert.Contains($"expected one that reads samples of [{string.Join(", ", shape)}]", problem.Message, StringComparison.Ordinal);
                return false;
            }
        }
    }

    [Theory]
    [MemberData(nameof(NamedBackbones))]
    public void A_backbone_with_a_name_is_built_only_for_a_file_that_has_its_parameters(string name)
    {
        using var backbone = Architectures.Backbone(name, long.MaxValue);
        var numbers = backbone.parameters().Sum(parameter => parameter.numel());
        Architectures.CheckBackbone(name, numbers);
        var problem = Assert.Throws<FormatException>(() => Architectures.Backbone(name, numbers - 1));
        Assert.Contains($"{name} has more than {numbers - 1} parameters", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_cosine_head_is_the_split_cosine_head_of_LUCIR_with_the_same_values_and_gradients()
    {
        using var scope = NewDisposeScope();
        using var head = (CosineHead)Architectures.Head("split-cosine", 4);
        head.Grow(3);
        head.Grow(2);
        using (no_grad()) head.get_parameter("eta")!.fill_(1.7);
        // SplitCosineLinear of the authors' code, in float64: sigma * cat(fc1(x), fc2(x)), each a cosine without a scale of its own.
        var features = randn(6, 4);
        var weight = head.get_parameter("weight")!.detach().to(ScalarType.Float64);
        var (first, second) = (weight[..3].clone().requires_grad_(), weight[3..].clone().requires_grad_());
        var sigma = full(1, 1.7, ScalarType.Float64, requires_grad: true);
        var wide = features.to(ScalarType.Float64);
        Tensor Cosine(Tensor rows) => wide.div(wide.norm(1, keepdim: true)).mm(rows.div(rows.norm(1, keepdim: true)).t());
        var split = cat([Cosine(first), Cosine(second)], 1).mul(sigma);
        var one = head.forward(features);
        Assert.True(one.allclose(split.to(ScalarType.Float32), 1e-5, 1e-6));
        var targets = tensor(new long[] { 0, 1, 2, 3, 4, 0 });
        nn.functional.cross_entropy(one, targets).backward();
        nn.functional.cross_entropy(split, targets).backward();
        Assert.True(head.get_parameter("weight")!.grad!.allclose(cat([first.grad!, second.grad!]).to(ScalarType.Float32), 1e-4, 1e-6));
        Assert.Equal(sigma.grad!.item<double>(), head.get_parameter("eta")!.grad!.item<float>(), 1e-5);
        var (old, fresh) = head.Split(features);
        Assert.Equal(([6L, 3], [6L, 2]), (old.shape, fresh.shape), (a, b) => a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2));
        Assert.True(cat([old, fresh], 1).mul(1.7).allclose(one, 1e-5, 1e-6));
    }

    [Fact]
    public void A_users_own_module_is_a_backbone_and_batch_statistics_can_be_frozen_after_the_first_experience()
    {
        var own = nn.Sequential(("flatten", nn.Flatten()), ("fc", nn.Linear(784, 24)), ("bn", nn.BatchNorm1d(24)), ("relu", nn.ReLU()));
        using var learner = new Learner(
            () => new ContinualModel(new ModuleBackbone(own, 24, "mine")) { FreezeBatchNorm = Freeze.AfterFirstExperience },
            mechanisms: [new ElasticWeightConsolidation(), new Replay()]);
        byte[] Statistics() => learner.Context.Model.named_buffers().Single(b => b.name.EndsWith("running_mean", StringComparison.Ordinal)).buffer.bytes.ToArray();
        var start = Statistics();
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        var first = Statistics();
        Assert.NotEqual(start, first);
        Assert.Contains(learner.Context.Arena.Slots, slot => slot.Name.Contains("bn.weight", StringComparison.Ordinal));
        Assert.DoesNotContain(learner.Context.Arena.Slots, slot => slot.Name.Contains("running", StringComparison.Ordinal));
        learner.Teach(new Experience(1, SubsetSource.WithLabels(s_train, ["2"])));
        Assert.Equal(first, Statistics());
    }

    [Theory]
    [InlineData("lwf")] // a teacher speaks in every step
    [InlineData("mir")] // losses before and after a virtual step
    [InlineData("gss")] // gradients of single samples
    [InlineData("gem")] // gradients of the memories
    [InlineData("a-gem")]
    [InlineData("brain-inspired")]
    public void Frozen_batch_statistics_stay_frozen_where_a_mechanism_looks_at_the_model_within_a_step(string strategy)
    {
        var own = nn.Sequential(("flatten", nn.Flatten()), ("fc", nn.Linear(784, 24)), ("bn", nn.BatchNorm1d(24)), ("relu", nn.ReLU()));
        using var learner = new Learner(
            () => new ContinualModel(new ModuleBackbone(own, 24, "mine")) { FreezeBatchNorm = Freeze.AfterFirstExperience },
            new LearnerOptions { BatchSize = 5 }, Strategies.Named(strategy).Create(new StrategyBudget(20) { GeneratorWidths = [16] }));
        byte[] Statistics() => learner.Context.Model.named_buffers()
            .Where(b => b.name.Contains("running", StringComparison.Ordinal)).SelectMany(b => b.buffer.bytes.ToArray()).ToArray();
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        var first = Statistics();
        learner.Teach(new Experience(1, SubsetSource.WithLabels(s_train, ["2", "3"])));
        Assert.Equal(first, Statistics());
    }

    [Theory]
    [InlineData(Freeze.FromStart)]
    [InlineData(Freeze.AfterFirstExperience)]
    public void A_frozen_backbone_leaves_the_arena_and_does_not_change(Freeze freeze)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)) { FreezeBackbone = freeze },
            mechanisms: [new ElasticWeightConsolidation(), new Replay()]);
        byte[] Weights() => learner.Context.Model.Backbone.parameters().SelectMany(p => p.bytes.ToArray()).ToArray();
        var start = Weights();
        learner.Teach(new Experience(0, SubsetSource.WithLabels(s_train, ["0", "1"])));
        var first = Weights();
        Assert.Equal(freeze == Freeze.FromStart, start.SequenceEqual(first));
        Assert.Equal(2 * 17, learner.Context.Arena.Length);
        learner.Teach(new Experience(1, SubsetSource.WithLabels(s_train, ["2"])));
        Assert.Equal(first, Weights());
        Assert.Equal(3 * 17, learner.Context.Arena.Length);
    }

    [Fact]
    public void Channels_are_scaled_each_by_their_own_mean_and_deviation()
    {
        using var scope = NewDisposeScope();
        var scaling = new InputScaling { ChannelMean = [0.5, 0], ChannelStd = [0.5, 2] };
        var scaled = scaling.Apply(full([1, 2, 1, 1], (byte)255, ScalarType.Byte)).data<float>().ToArray();
        Assert.Equal([1f, 0.5f], scaled);
        Assert.Contains("expected [batch, 2, height, width]", Assert.Throws<ArgumentException>(
            () => scaling.Apply(zeros(1, 3, 1, 1))).Message);
    }

    private static Dictionary<string, Tensor> Safetensors(string archive, string name)
    {
        using var unpacked = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
        using var tar = new TarReader(unpacked);
        while (tar.GetNextEntry() is { } entry)
        {
            if (!entry.Name.EndsWith(name, StringComparison.Ordinal)) continue;
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            content.Position = 0;
            return SafetensorsFile.Read(content, name);
        }
        throw new FileNotFoundException(name);
    }
}
