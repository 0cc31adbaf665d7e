using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Learning;

public class PrecisionTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 100);

    private static (float[] Values, double Accuracy) Learnt(Precision precision, Func<Backbone> backbone, params RetentionMechanism[] mechanisms)
    {
        using var learner = new Learner(
            () => new ContinualModel(backbone()), new LearnerOptions { BatchSize = 20, Epochs = 3, Precision = precision }, mechanisms);
        learner.Teach(new Experience(0, s_train));
        var test = TestData.Mnist.Test.Balanced(50);
        return (learner.Context.Arena.Values.data<float>().ToArray(), Evaluator.Accuracy(learner, test));
    }

    [Fact]
    public void Products_in_bfloat16_learn_as_well_and_are_not_those_of_float32()
    {
        var (full, accuracy) = Learnt(Precision.Float32, () => new Mlp(784, 64));
        var (mixed, lower) = Learnt(Precision.MixedBFloat16, () => new Mlp(784, 64));
        Assert.NotEqual(full, mixed);
        Assert.InRange(lower, accuracy - 0.03, 1);
        Assert.True(accuracy > 0.7);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_in_mixed_precision() =>
        Assert.Equal(
            Learnt(Precision.MixedBFloat16, () => new Mlp(784, 16)).Values, Learnt(Precision.MixedBFloat16, () => new Mlp(784, 16)).Values);

    // With AMX tiles the process would end here.
    [Fact]
    public void After_products_in_bfloat16_a_null_reference_is_still_an_exception()
    {
        Learnt(Precision.MixedBFloat16, () => new Mlp(784, 64));
        string? nothing = null;
        Assert.Throws<NullReferenceException>(() => nothing!.Length);
    }

    [Fact]
    public void Convolutions_in_bfloat16_give_features_near_those_of_float32()
    {
        using var scope = NewDisposeScope();
        using var cnn = new DigitsCnn();
        cnn.eval();
        var images = rand(4, 1, 28, 28);
        var full = cnn.forward(images);
        cnn.Precision = Precision.MixedBFloat16;
        var mixed = cnn.forward(images);
        Assert.Equal(ScalarType.Float32, mixed.dtype);
        Assert.InRange(mixed.sub(full).norm().item<float>() / full.norm().item<float>(), 1e-5, 2e-2);
    }

    // With the same numbers dropped in both, the gradient in bfloat16 must be that of float32 but for rounding: pooling before ReLU and
    // channels laid out last are no other function.
    [Fact]
    public void Gradients_of_the_cnn_in_bfloat16_are_near_those_of_float32()
    {
        using var scope = NewDisposeScope();
        using var cnn = new DigitsCnn();
        cnn.eval(); // no dropout
        var images = rand(8, 1, 28, 28);
        Tensor Gradient(Precision precision)
        {
            cnn.Precision = precision;
            cnn.zero_grad();
            cnn.forward(images).square().sum().backward();
            return cat([.. cnn.parameters().Select(parameter => parameter.grad!.flatten())]);
        }
        var full = Gradient(Precision.Float32);
        var mixed = Gradient(Precision.MixedBFloat16);
        Assert.InRange(mixed.sub(full).norm().item<float>() / full.norm().item<float>(), 1e-5, 5e-2);
    }

    [Fact]
    public void Dropout_in_bfloat16_drops_its_share_and_scales_the_rest_up()
    {
        using var scope = NewDisposeScope();
        using var dropout = nn.Dropout(0.25);
        var ones = TorchSharp.torch.ones([40, 12, 12, 50], ScalarType.BFloat16).permute(0, 3, 1, 2).requires_grad_(); // as after pooling
        var kept = BFloat16Layers.Apply(dropout, ones);
        kept.sum().backward();
        Assert.True(kept.Equals(ones.grad!), "the gradient passes where the number did");
        var values = kept.to(ScalarType.Float32);
        var nonzero = values.ne(0);
        Assert.InRange(1 - nonzero.to(ScalarType.Float32).mean().item<float>(), 0.25 - 0.004, 0.25 + 0.004); // 288,000 numbers: five standard deviations
        Assert.InRange(values.masked_select(nonzero).sub(4 / 3f).abs().max().item<float>(), 0, 0.004f);
        Assert.False(kept.Equals(BFloat16Layers.Apply(dropout, ones)), "the same numbers dropped twice");
        dropout.eval();
        Assert.Same(ones, BFloat16Layers.Apply(dropout, ones));
    }

    [Theory]
    [InlineData(3, 28, 28)]
    [InlineData(1, 20, 20)]
    [InlineData(1, 14, 56)]
    public void Images_of_another_shape_are_refused_in_bfloat16_as_in_float32(int channels, int height, int width)
    {
        using var learner = new Learner(
            () => new ContinualModel(new DigitsCnn()), new LearnerOptions { Precision = Precision.MixedBFloat16 });
        var images = TensorSource.OfClasses(rand(4, channels, height, width), [0, 1, 0, 1], Label.Numbers(0, 2));
        Assert.Contains("do not fit the model", Assert.Throws<ArgumentException>(
            () => learner.Learn(new Experience(0, images))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fisher_information_is_taken_in_float32_batches_whatever_the_precision()
    {
        using var scope = NewDisposeScope();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 16)), new LearnerOptions { BatchSize = 20, Precision = Precision.MixedBFloat16 });
        learner.Teach(new Experience(0, s_train));
        var batches = FisherInformation.Diagonal(learner.Context, 50, FisherLabels.Exact, vectorised: true);
        learner.Context.Model.Precision = Precision.Float32;
        var single = FisherInformation.Diagonal(learner.Context, 50, FisherLabels.Exact, vectorised: false);
        Assert.InRange(batches.sub(single).norm().item<float>(), 0, 1e-3f * single.norm().item<float>());
    }

    [Fact]
    public void A_backbone_that_knows_float32_alone_says_so()
    {
        var problem = Assert.Throws<ArgumentException>(() => new Learner(
            () => new ContinualModel(new LeNet5(1, 28)), new LearnerOptions { Precision = Precision.MixedBFloat16 }));
        Assert.Contains("Precision: MixedBFloat16, expected Float32", problem.Message, StringComparison.Ordinal);
    }
}
