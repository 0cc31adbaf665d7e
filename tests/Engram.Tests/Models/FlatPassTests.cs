using Engram.Learning;
using Engram.Models;
using static TorchSharp.torch;

namespace Engram.Tests.Models;

public class FlatPassTests
{
    private static float[] Trained(long length, OptimizerOptions options, int threads)
    {
        using var scope = NewDisposeScope();
        var before = get_num_threads();
        set_num_threads(threads);
        try
        {
            random.manual_seed(3);
            using var module = nn.Linear(length, 1, hasBias: false);
            using var arena = new ParameterArena(module);
            using var optimizer = options.Build();
            for (var step = 0; step < 3; step++)
            {
                using (no_grad()) arena.Gradient.copy_(randn(length));
                optimizer.Step(arena);
            }
            return arena.Values.data<float>().ToArray();
        }
        finally
        {
            set_num_threads(before);
        }
    }

    public static TheoryData<OptimizerOptions> Optimizers =>
        [new AdamOptions { WeightDecay = 0.01 }, new SgdOptions(), new SgdOptions { Momentum = 0.9 }];

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_step_is_the_same_to_the_bit_on_any_number_of_threads(OptimizerOptions options) =>
        Assert.Equal(Trained(100_003, options, 1), Trained(100_003, options, 2));

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_number_is_the_same_wherever_a_vector_ends(OptimizerOptions options)
    {
        // The same weights and gradients with 1 to 17 more behind them: the tail becomes part of whole vectors.
        for (var length = 1; length <= 18; length++)
        {
            using var module = nn.Linear(length, 1, hasBias: false);
            using var arena = new ParameterArena(module);
            using var optimizer = options.Build();
            using (no_grad())
            using (NewDisposeScope())
            {
                arena.Values.copy_(arange(length).to(ScalarType.Float32).mul_(0.37f));
                arena.Gradient.copy_(arange(length).to(ScalarType.Float32).add_(1).mul_(0.11f));
            }
            optimizer.Step(arena);
            using var longer = nn.Linear(64, 1, hasBias: false);
            using var whole = new ParameterArena(longer);
            using var other = options.Build();
            using (no_grad())
            using (NewDisposeScope())
            {
                whole.Values.copy_(arange(64).to(ScalarType.Float32).mul_(0.37f));
                whole.Gradient.copy_(arange(64).to(ScalarType.Float32).add_(1).mul_(0.11f));
            }
            other.Step(whole);
            Assert.Equal(whole.Values.data<float>().ToArray()[..length], arena.Values.data<float>().ToArray());
        }
    }
}
