// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev Tokens as they should not be, to see that what is paid is what arrived.
abstract contract SixDecimals is ERC20 {
    constructor() ERC20("Odd", "ODD") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps a tenth of every transfer.
contract FeeToken is SixDecimals {
    function _update(address from, address to, uint256 amount) internal override {
        bool isTransfer = from != address(0) && to != address(0);
        super._update(from, to, isTransfer ? amount - amount / 10 : amount);
        if (isTransfer) super._update(from, address(0), amount / 10);
    }
}

/// @dev Doubles what it transfers.
contract BonusToken is SixDecimals {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0)) _mint(to, amount);
    }
}

/// @dev Says false and moves nothing.
contract FalseToken is SixDecimals {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @dev Says true and moves nothing.
contract IdleToken is SixDecimals {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }
}

interface IPay {
    function pay(bytes32 payableId, address token, uint128 amountMicros) external;
}

/// @dev Pays again from inside the payment, so that one arrival would count twice.
contract ReenteringToken is SixDecimals {
    IPay private _book;
    bytes32 private _payableId;

    function aim(address book, bytes32 payableId) external {
        _book = IPay(book);
        _payableId = payableId;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _transfer(from, to, amount);
        _book.pay(_payableId, address(this), uint128(amount));
        return true;
    }
}

/// @dev Returns nothing, as some tokens that people use do.
contract SilentToken {
    mapping(address holder => uint256) public balanceOf;

    function decimals() external pure returns (uint8) {
        return 6;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address, uint256) external pure {}

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
